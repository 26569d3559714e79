"""Release notes come from the changelog."""

import pytest

from local.infra.release_notes import newest_section
from tests.infra.planting import ROOT


class TestNewestSection:
    def test_is_the_first_that_says_something(self) -> None:
        changelog = "# Changelog\n\nFormat.\n\n## [Unreleased]\n\n## [1.1.0]\n\n- New.\n\n## [1.0.0]\n\n- Old.\n"

        assert newest_section(changelog) == "## [1.1.0]\n\n- New.\n"

    def test_refuses_a_changelog_that_says_nothing(self) -> None:
        with pytest.raises(SystemExit, match="says nothing"):
            newest_section("# Changelog\n\n## [Unreleased]\n")

    def test_finds_something_in_ours(self) -> None:
        assert newest_section((ROOT / "CHANGELOG.md").read_text()).startswith("## [")
