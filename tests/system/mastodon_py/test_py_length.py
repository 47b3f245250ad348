"""Characters are counted as Mastodon.py counts them: what it says is the
longest that goes is taken, and one character more is refused."""

import pytest
from mastodon import Mastodon, MastodonAPIError

FAMILY = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}\u200d\N{BOY}"
CODER = "\N{WOMAN}\N{EMOJI MODIFIER FITZPATRICK TYPE-4}\u200d\N{PERSONAL COMPUTER}"
FLAG = "\N{REGIONAL INDICATOR SYMBOL LETTER E}" * 2
TEXTS = [
    # Plain text and what is between words.
    "",
    "good morning",
    "  spaces all around   ",
    "tabs\tand\nlines\r\nand more",
    # Links, and what only looks like one.
    "see http://berries.example.com and https://berries.example.org/rowan?ripe=1#red",
    "https://a.very.long.name.of.a.host.example.museum/hall/of/birds/waxwing.html",
    "https://example.com:8443/a-b_c~d?one=1&two=2",
    "ftp://files.example.net/berries",
    "mailto:ana@berries.example.com",
    "git+ssh://git@berries.example.com:22/rowan.git",
    "http://ana:secret@example.com:8080/path",
    "http://127.0.0.1:3000/health",
    "https://[2001:db8::1]/status",
    "https://[2001:db8:85a3::8a2e:370:7334]:443/path?ok=1",
    "http://localhost:3000/here",
    "no scheme: berries.example.com/rowan",
    "https://сойка.рф/ягоды/рябина",
    # Mentions: the server's name is free.
    "@ana",
    "@ben@birds.example",
    "hi @cleo and @dora@waxwings.example.social!",
    "ana@mail.example.com is no mention",
    "#berries and #Beeren_2026",
    # What people see as one character.
    f"from {FLAG}",
    f"the {FAMILY} here",
    f"{CODER} writes",
    "\N{RAISED FIST}\N{EMOJI MODIFIER FITZPATRICK TYPE-6}",
    "\N{LATIN SMALL LETTER E WITH ACUTE} is e\u0301",
    "\N{BIRD}" * 20,
    # Signs around links and names, and all of it together.
    "(see https://berries.example.com.)",
    "<@ana> and {@ben@birds.example.net}",
    f"hey @me@birds.example look at https://example.com/a?b=c#d {CODER} {FLAG} and @you",
]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_the_border_is_where_the_app_thinks_it_is(ana, text):
    limit = ana.instance_v2().configuration.statuses.max_characters
    warning = "care" if TEXTS.index(text) % 2 else ""

    def post(length):
        """A post with the text in it that has, says the app, this length."""
        padding = length - Mastodon.get_status_length(f"x {text} ", warning)
        whole = f"x {text} {'y' * padding}"
        assert Mastodon.get_status_length(whole, warning) == length
        return ana.status_post(whole, spoiler_text=warning or None, visibility="direct")

    assert post(limit).id
    with pytest.raises(MastodonAPIError, match="422"):
        post(limit + 1)
