# ruff: noqa: RUF001 - names of many scripts are what these tests are about
import unicodedata

import pytest
from anyascii import anyascii
from hypothesis import given
from hypothesis import strategies as st

from lib.mainframe.errors import UnfitError
from lib.mainframe.text import Written, write_identifier, write_text

KEPT = [
    "François", "Núñez", "Weiß", "Søren", "Guðrún", "Åsa", "Þór", "O'Connor", "Jean-Luc", "MÜLLER",
    "Ana María de la O", "Zoë", "João", "Æsa", "van 't Hoff", "Nº 5",
]  # fmt: skip
SPELLED = [
    ("Łukasz Żółć", "Lukasz Zólc"),
    ("Őry Ű", "Ory U"),
    ("İbrahim Çağlayan Işık", "Ibrahim Çaglayan Isik"),
    ("Đặng Thị Ngọc Ánh", "Dang Thi Ngoc Ánh"),
    ("Dvořák", "Dvorák"),
    ("Œdipe Ĳsbrand", "Oedipe Ijsbrand"),
    ("STRAẞE ŒUVRE", "STRASSE OEUVRE"),
    ("O’Connor", "O'Connor"),
    ("Smith–Jones", "Smith-Jones"),
    ("Щербаков Юрий", "Shcherbakov Iurii"),
    ("ЩЕРБАКОВ ЖЮЛЬ", "SHCHERBAKOV ZHIUL"),
    ("Наталья Подъячева", "Natalia Podieiacheva"),
    ("Зеленський Ґалаґан Їжак", "Zelenskii Galagan Izhak"),
    ("Хюсеин Щърбанов", "Khiusein Shchierbanov"),
    ("Љубиша Њежић", "Ljubisha Njezhic"),
    ("محمد", "MXHMD"),
    ("فاطمة", "FAXTTMXAH"),
    ("فاطمة الزهراء", "FAXTTMXAH ALZHRAXE"),
    ("ابو بكر محمد بن زكريا الرازي", "ABW BKR MXHMD BN ZKRYA ALRAZY"),
    ("مُحَمَّد", "MXHMD"),
    ("پژمان گلچین", "PXJMAN XGGLXCXYAN"),
    ("Παπαδόπουλος", "Papadopoylos"),
]
EVERY_SCRIPT = {
    "Hebrew": "יוסף כהן",
    "Hebrew with points": "שָׁלוֹם",
    "Hindi": "राजेश कुमार",
    "Tamil": "சுப்பிரமணியன்",
    "Bengali": "রবীন্দ্রনাথ ঠাকুর",
    "Telugu": "శ్రీనివాస్",
    "Sinhala": "මහින්ද",
    "Thai": "สมชาย ใจดี",
    "Lao": "ສົມພອນ",
    "Khmer": "សុខ សំណាង",
    "Burmese": "အောင်ဆန်းစုကြည်",
    "Tibetan": "བསྟན་འཛིན",
    "Georgian": "გიორგი ბერიძე",
    "Armenian": "Հայկ Պետրոսյան",
    "Amharic": "አበበ ቢቂላ",
    "Chinese": "王小明",
    "Japanese kanji": "山田太郎",
    "Japanese hiragana": "さくら",
    "Japanese katakana": "ジョン・スミス",
    "Korean": "김민수",
    "Korean, decomposed": unicodedata.normalize("NFD", "김민수"),
    "Mongolian": "ᠪᠠᠲᠤ",
    "Cherokee": "ᏍᏏᏉᏯ",
    "N'Ko": "ߞߊ߲ߕߍ",
    "Thaana": "އަހުމަދު",
    "Tifinagh": "ⵎⵓⵃⵎⵎⴷ",
    "Inuktitut": "ᐱᑕ",
    "Vai": "ꕙꔤ",
    "Adlam": "𞤀𞤣𞤢𞤥",
    "Syriac": "ܝܫܘܥ",
    "Greek": "Γιώργος",
    "Kazakh": "Қасым-Жомарт",
    "Full width": "ＹＡＭＡＤＡ",
    "A character no romanisation has": "\u39dd",
    "An alef of which a romanisation makes nothing": "\u0787",
}


class TestWriteText:
    @pytest.mark.parametrize("name", KEPT)
    def test_keeps_what_the_code_page_has(self, name: str) -> None:
        assert write_text(name, width=40, field="/x") == Written(name)

    @pytest.mark.parametrize(("name", "expected"), SPELLED)
    def test_spells_as_travel_documents_do(self, name: str, expected: str) -> None:
        assert write_text(name, width=40, field="/x") == Written(expected, transliterated=True)

    @pytest.mark.parametrize("script", EVERY_SCRIPT)
    def test_refuses_no_script(self, script: str) -> None:
        written = write_text(EVERY_SCRIPT[script], width=40, field="/x")

        assert written.transliterated
        assert written.text.encode("cp037").decode("cp037") == written.text.strip() != ""

    def test_composes_before_it_looks(self) -> None:
        assert write_text("Nu\u0301n\u0303ez", width=40, field="/x") == Written("Núñez")

    def test_drops_marks_without_a_letter_of_their_own(self) -> None:
        assert write_text("x\u030cA", width=40, field="/x") == Written("xA", transliterated=True)

    @pytest.mark.parametrize("mark", ["\u200f", "\u200e", "\u202b", "\u200d", "\u200c", "\ufeff", "\u2066"])
    def test_drops_what_prints_nothing_without_calling_it_a_change(self, mark: str) -> None:
        assert write_text(f"{mark}Anna{mark}", width=40, field="/x") == Written("Anna")

    @pytest.mark.parametrize("broken", ["12 Hill Road\nFlat 3", "12 Hill Road\r\nFlat 3", "12 Hill Road \t Flat 3"])
    def test_makes_line_breaks_and_controls_one_space(self, broken: str) -> None:
        assert write_text(broken, width=40, field="/x").text == "12 Hill Road Flat 3"

    @pytest.mark.parametrize("blank", ["", "   ", "\n", "\u200f", "\x00\x1f"])
    def test_leaves_blank_what_is_blank(self, blank: str) -> None:
        assert write_text(blank, width=40, field="/x") == Written("")

    def test_cuts_to_the_width(self) -> None:
        name = "Warnakulasuriya Patabendige Ushantha Joseph Chaminda Vaas"

        assert write_text(name, width=40, field="/x") == Written("Warnakulasuriya Patabendige Ushantha Jos", cut=True)

    def test_never_ends_in_a_space(self) -> None:
        assert write_text("Anna Maria", width=5, field="/x") == Written("Anna", cut=True)

    def test_cuts_after_spelling(self) -> None:
        assert write_text("ЩЩЩ", width=10, field="/x") == Written("SHCHSHCHSH", transliterated=True, cut=True)

    def test_drops_emoji_beside_a_name(self) -> None:
        assert write_text("Anna 😀", width=40, field="/x") == Written("Anna", transliterated=True)

    @pytest.mark.parametrize("nothing", ["😀", "👩‍👩‍👧", "❤\ufe0f", "\u0301"])
    def test_refuses_what_leaves_nothing_and_does_not_repeat_it(self, nothing: str) -> None:
        with pytest.raises(UnfitError) as caught:
            write_text(nothing, width=40, field="/firstName")

        assert (caught.value.reason_code, caught.value.field) == ("NOTEXT", "/firstName")
        assert nothing not in str(caught.value)

    @given(st.text(max_size=60), st.integers(1, 40))
    def test_writes_anything_to_the_width_or_says_that_nothing_remains(self, text: str, width: int) -> None:
        try:
            written = write_text(text, width=width, field="/x")
        except UnfitError:
            assert not any(char.isalpha() for char in text)
        else:
            assert len(written.text.encode("cp037")) <= width
            assert written.text == written.text.strip()
            assert write_text(written.text, width=width, field="/x") == Written(written.text)

    def test_refuses_no_letter_at_all(self) -> None:
        letters = [chr(code) for code in range(0x110000) if chr(code).isalpha() and not anyascii(chr(code)).strip()]

        assert len(letters) > 20_000
        assert all(write_text(letter, width=10, field="/x").text for letter in letters[::50])


class TestWriteIdentifier:
    def test_changes_nothing(self) -> None:
        assert write_identifier("ana.núñez@example.org", width=80, field="/email") == "ana.núñez@example.org"

    @pytest.mark.parametrize(
        ("value", "reason_code"),
        [("1234567890123", "TOOLONG"), ("АВ123456", "CODEPAGE"), ("12\n34", "CODEPAGE"), ("12\x0034", "CODEPAGE")],
    )
    def test_refuses_what_would_have_to_change(self, value: str, reason_code: str) -> None:
        with pytest.raises(UnfitError) as caught:
            write_identifier(value, width=12, field="/passport/number")

        assert (caught.value.reason_code, caught.value.field) == (reason_code, "/passport/number")
        assert value not in str(caught.value)
