"""Text in the letters of the font that Pillow carries, which has little beyond ASCII."""

_SIMPLER = (("⌊(", "floor(("), ("⌋", ")"), ("−", "-"), ("×", "x"), ("→", "->"))


def plain(text: str) -> str:
    """Signs of formulas written otherwise; any other letter that is missing becomes "?"."""
    for fancy, simple in _SIMPLER:
        text = text.replace(fancy, simple)
    return "".join(letter if " " <= letter <= "~" or letter in "·…" else "?" for letter in text)
