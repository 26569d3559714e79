import pytest

from local.host.routes.template import parse_template


class TestMatch:
    @pytest.mark.parametrize(
        ("template", "path", "values"),
        [
            ("api/x", "API/X", {}),
            ("api/x", "api/x/", {}),
            ("api/x", "api//x", None),
            ("api/{a}", "api", None),
            ("api/{a?}", "api", {}),
            ("api/{a?}", "api/1", {"a": "1"}),
            ("api/{a=7}", "api", {"a": "7"}),
            ("api/{a=7}/{b?}", "api/8/9", {"a": "8", "b": "9"}),
            ("api/{a?}/end", "api/end", None),
            ("api/{*rest}", "api", {}),
            ("api/{*rest}", "api/a//b/", {"rest": "a//b/"}),
            ("api/{**rest}", "api/a/b", {"rest": "a/b"}),
            ("api/{*rest=home}", "api", {"rest": "home"}),
            ("{*rest}", "", {}),
            ("{*rest}", "a", {"rest": "a"}),
            ("api/{a}-{b}", "api/1-2-3", {"a": "1-2", "b": "3"}),
            ("api/v{major:int}.{minor:int}", "api/v1.2", {"major": "1", "minor": "2"}),
            ("api/{name}.{ext?}", "api/a", {"name": "a"}),
            ("api/{name}.{ext?}", "api/a.txt", {"name": "a", "ext": "txt"}),
            ("api/{{x}}", "api/{x}", {}),
            (r"api/{a:regex(^\d{{2}}$)}", "api/12", {"a": "12"}),
            (r"api/{a:regex(^\d{{2}}$)}", "api/123", None),
            ("api/{a:regex(^(x|y/z)$)}", "api/x", {"a": "x"}),
            ("api/{a:int:min(5)=6}", "api", {"a": "6"}),
            ("api/{a:int:min(5)}", "api/4", None),
            ("api/{a}", "api/x\ny", {"a": "x\ny"}),
        ],
    )
    def test_is_that_of_aspnet(self, template: str, path: str, values: dict[str, str] | None) -> None:
        assert parse_template(template).match(path) == values

    @pytest.mark.parametrize(
        ("constraint", "accepted", "refused"),
        [
            ("alpha", ["abC"], ["a1"]),
            ("bool", ["true", "FALSE"], ["1"]),
            ("datetime", ["2026-01-31", "2026-01-31T10:00:00Z", "1/31/2026"], ["2026-02-31", "x"]),
            ("decimal", ["1.5", "-3"], ["1e400", "x"]),
            ("double", ["1e3", "-.5"], ["x"]),
            ("float", ["1.5"], ["1.5.5"]),
            ("guid", ["7b8fcf0b-9984-4f12-a6c4-96d650a7d557", "7b8fcf0b99844f12a6c496d650a7d557"], ["7b8fcf0b"]),
            ("int", ["1", "-1", "2147483647"], ["2147483648", "1.0", "9" * 5000]),
            ("long", ["9223372036854775807"], ["9223372036854775808"]),
            ("length(2)", ["ab"], ["a", "abc"]),
            ("length(2,3)", ["ab", "abc"], ["a", "abcd"]),
            ("minlength(2)", ["ab"], ["a"]),
            ("maxlength(2)", ["ab"], ["abc"]),
            ("min(3)", ["3"], ["2", "x"]),
            ("max(3)", ["3"], ["4"]),
            ("range(1,3)", ["1", "3"], ["0", "4"]),
            ("required", ["x"], []),
        ],
    )
    def test_asks_the_constraint(self, constraint: str, accepted: list[str], refused: list[str]) -> None:
        template = parse_template(f"api/{{a:{constraint}}}")

        assert [value for value in accepted if template.match(f"api/{value}") is None and "/" not in value] == []
        assert [value for value in refused if template.match(f"api/{value}") is not None] == []


class TestParse:
    @pytest.mark.parametrize(
        ("template", "reason"),
        [
            ("api//x", "consecutively"),
            ("api/{a}/{A}", "more than once"),
            ("api/{*rest}/x", "last segment"),
            ("api/x{*rest}", "last segment"),
            ("api/{a}{b}", "literal between"),
            ("api/{a", "not closed"),
            ("api/a}", "stray"),
            ("api/{}", "not a route parameter"),
            ("api/{a:what}", "'what' is unknown"),
            ("api/{a:min(x)}", "whole numbers"),
            ("api/{a:regex([)}", "no regular expression"),
            ("api/{a=1?}", "default"),
            ("api/{a?}b", "end its segment"),
        ],
    )
    def test_refuses_what_aspnet_refuses(self, template: str, reason: str) -> None:
        with pytest.raises(ValueError, match=reason):
            parse_template(template)
