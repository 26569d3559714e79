# ruff: noqa: RUF001 - letters that look like Latin ones are what these tables are about
"""How travel documents spell national characters with A to Z.

The facts are those of ICAO Doc 9303, Machine Readable Travel Documents, eighth edition (2021), Part 3, section 6:
"Transliterations recommended for use by States", table A (Latin), B (Cyrillic) and C (Arabic). Where the tables leave
a choice to the issuing state, the first spelling is taken, because a name does not say which state wrote it: the
exceptions of table B for Ukrainian, Belarusian, Bulgarian, Serbian and Macedonian are therefore not used. Letters that
the mainframe's code page has are never looked up; they are listed so that the tables can be compared with the source.
"""

_LATIN = """
À A  Á A  Â A  Ã A  Ä AE  Å AA  Æ AE  Ç C  È E  É E  Ê E  Ë E  Ì I  Í I  Î I  Ï I  Ð D  Ñ N  Ò O  Ó O  Ô O  Õ O  Ö OE
Ø OE  Ù U  Ú U  Û U  Ü UE  Ý Y  Þ TH  Ā A  Ă A  Ą A  Ć C  Ĉ C  Ċ C  Č C  Ď D  Đ D  Ē E  Ĕ E  Ė E  Ę E  Ě E  Ĝ G  Ğ G
Ġ G  Ģ G  Ĥ H  Ħ H  Ĩ I  Ī I  Ĭ I  Į I  İ I  Ĳ IJ  Ĵ J  Ķ K  Ĺ L  Ļ L  Ľ L  Ŀ L  Ł L  Ń N  Ņ N  Ň N  Ŋ N  Ō O  Ŏ O
Ő O  Œ OE  Ŕ R  Ŗ R  Ř R  Ś S  Ŝ S  Ş S  Š S  Ţ T  Ť T  Ŧ T  Ũ U  Ū U  Ŭ U  Ů U  Ű U  Ų U  Ŵ W  Ŷ Y  Ÿ Y  Ź Z  Ż Z
Ž Z  ẞ SS
"""

_CYRILLIC = """
Ё E  Ђ D  Є IE  Ѕ DZ  І I  Ї I  Ј J  Љ LJ  Њ NJ  Ќ K  Ў U  Џ DZ  А A  Б B  В V  Г G  Д D  Е E  Ж ZH  З Z  И I  Й I
К K  Л L  М M  Н N  О O  П P  Р R  С S  Т T  У U  Ф F  Х KH  Ц TS  Ч CH  Ш SH  Щ SHCH  Ъ IE  Ы Y  Э E  Ю IU  Я IA
Ѫ U  Ѵ Y  Ґ G  Ғ G  Һ C
"""

# By code point: letters that join and run right to left are hard to read beside their spelling.
_ARABIC = """
0621 XE  0622 XAA  0623 XAE  0624 U  0625 I  0626 XI  0627 A  0628 B  0629 XTA  062A T  062B XTH  062C J  062D XH
062E XKH  062F D  0630 XDH  0631 R  0632 Z  0633 S  0634 XSH  0635 XSS  0636 XDZ  0637 XTT  0638 XZZ  0639 E  063A G
0641 F  0642 Q  0643 K  0644 L  0645 M  0646 N  0647 H  0648 W  0649 XAY  064A Y  0671 XXA  0679 XXT  067C XRT
067E P  0681 XKE  0685 XXH  0686 XC  0688 XXD  0689 XDR  0691 XXR  0693 XRR  0696 XRX  0698 XJ  069A XXS  06A9 XKK
06AB XXK  06AD XNG  06AF XGG  06BA XNN  06BC XXN  06BE XDO  06C0 XYH  06C1 XXG  06C2 XGE  06C3 XTG  06CC XYA
06CD XXY  06D0 Y  06D2 XYB  06D3 XBE
"""

TEH_MARBUTA = "\u0629"
_TEH_MARBUTA_AT_THE_END = "XAH"
_SOFT_SIGN = "Ьь"  # written in no spelling
_TATWEEL = "\u0640"  # stretches a word, spells nothing
_ARABIC_MARKS = "".join(chr(code) for code in (*range(0x064B, 0x0653), 0x0670))  # vowel signs, which no table spells


def _with_lower_case(table: str) -> dict[str, str]:
    """Return the table for both cases; capitals as ordinary writing has them: Zhukov, not ZHukov."""
    words = table.split()
    upper = dict(zip(words[::2], words[1::2], strict=True))
    lower = {letter.lower(): spelling.lower() for letter, spelling in upper.items() if len(letter.lower()) == 1}
    return {letter: spelling.capitalize() for letter, spelling in upper.items()} | lower


def _by_code_point(table: str) -> dict[str, str]:
    words = table.split()
    return {chr(int(code, 16)): spelling for code, spelling in zip(words[::2], words[1::2], strict=True)}


LATIN = _with_lower_case(_LATIN) | {"ß": "ss", "ı": "i"}
CYRILLIC = _with_lower_case(_CYRILLIC) | dict.fromkeys(_SOFT_SIGN, "")
ARABIC = _by_code_point(_ARABIC) | dict.fromkeys(_ARABIC_MARKS + _TATWEEL, "")
_SPELLINGS = LATIN | CYRILLIC | ARABIC


def spelling_of(letter: str, *, ends_word: bool, in_capitals: bool) -> str | None:
    """Return how a travel document spells a letter, or None when the tables do not have it.

    Args:
        letter: one character, composed (NFC).
        ends_word: whether no letter follows; teh marbuta is spelled differently there.
        in_capitals: whether the word around it is all in capitals, so that Щ is SHCH and not Shch.
    """
    if ends_word and letter == TEH_MARBUTA:
        return _TEH_MARBUTA_AT_THE_END
    spelling = _SPELLINGS.get(letter)
    return spelling.upper() if spelling and in_capitals else spelling
