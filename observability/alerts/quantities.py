"""Numbers with their units, for people. What formats them is loaded when it is needed."""


def quantity(value: float | None, unit: str) -> str:
    """A value as it is shown: 7.3 %, 1 m 3 s, $4.20, 3 tokens."""
    if value is None:
        return "–"
    if unit == "%":
        return f"{value:,.1f}".removesuffix(".0") + " %"
    if unit == "seconds":
        return span(value)
    if unit == "US dollars":
        from hummbl.templatetags.ui import usd

        return usd(value)
    if unit == "bytes":
        from django.template.defaultfilters import filesizeformat

        return str(filesizeformat(value)).replace("\xa0", " ")
    text = f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{text} {unit}".strip()


def span(seconds: float) -> str:
    """A time span: 84 ms, 1.8 s, 1 m 3 s, 1 h 12 m."""
    from hummbl.templatetags.ui import duration

    return duration(seconds)
