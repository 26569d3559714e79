import pytest

from lib.mainframe.icao import ARABIC, CYRILLIC, LATIN


class TestTables:
    @pytest.mark.parametrize("spelling", [*LATIN.values(), *CYRILLIC.values(), *ARABIC.values()])
    def test_spell_with_a_to_z(self, spelling: str) -> None:
        assert spelling == "" or (spelling.isascii() and spelling.isalpha())

    def test_hold_every_letter_of_the_alphabets_they_name(self) -> None:
        assert set("ĄĆĘŁŃÓŚŹŻČĎĚŇŘŠŤŮŽĂÂÎŞŢŐŰĞİŞĀĒĢĪĶĻŅŪĖĮŲŒŸ") <= set(LATIN)
        assert set("АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ") <= set(CYRILLIC)
        assert {chr(code) for code in (*range(0x0621, 0x063B), *range(0x0641, 0x064B))} <= set(ARABIC)

    def test_spell_small_letters_as_their_capitals(self) -> None:
        pairs = [(table, letter) for table in (LATIN, CYRILLIC) for letter in table if len(letter.lower()) == 1]

        assert all(table[letter].lower() == table[letter.lower()] for table, letter in pairs)
