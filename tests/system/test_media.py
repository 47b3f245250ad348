"""Pictures, films and sounds, as an app sends them; also through kill -9."""

import io
import signal
import struct
import time
import zlib

import pytest
from mastodon import MastodonAPIError, MastodonNotFoundError

import fleet
import kit

# Whoever looks at a picture of another server waits 20 s for it at most, and that is if it hangs.
SHOWN_MAX_S = 10
PASSWORD = "cedar and juniper"


@pytest.fixture(scope="module")
def ana(waxwing):
    waxwing.make_owner("ana", PASSWORD)
    return kit.app(waxwing, "ana", PASSWORD)


def png(width, height):
    """A picture of one colour, with a comment that nobody is to read."""

    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    rows = b"".join(b"\0" + b"\x30\x60\x90" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"tEXt", b"Comment\0taken at home")
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def wav():
    samples = bytes(4000)
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(samples), b"WAVE", b"fmt ", 16, 1, 1, 8000, 8000, 1, 8, b"data", len(samples))
    return head + samples


def ready(app, media):
    """The upload once it is ready."""
    return kit.eventually(lambda: (found := app.media(media.id)).url and found, "the upload is ready")


def test_a_picture_is_uploaded_described_and_posted(waxwing, ana):
    media = ana.media_post(io.BytesIO(png(400, 300)), "image/png", description="a wren", focus=(0.5, -0.5))
    media = ready(ana, media)
    assert media.type == "image" and media.description == "a wren"
    assert media.meta.original.width == 400 and media.meta.original.size == "400x300"
    assert media.meta.focus.x == 0.5 and media.blurhash
    media = ana.media_update(media.id, description="a jenny wren", focus=(0, 0))
    assert media.description == "a jenny wren"
    status = ana.status_post("look", media_ids=[media])
    shown = status.media_attachments[0]
    assert (shown.id, shown.description) == (media.id, "a jenny wren")
    for url in (shown.url, shown.preview_url):
        served = waxwing.session().get(url, timeout=10)
        assert served.headers["Content-Type"].startswith("image/") and b"taken at home" not in served.content
    with pytest.raises(MastodonNotFoundError):
        ana.media(media.id)


def test_a_post_is_deleted_and_drafted_anew_with_its_picture(ana):
    media = ready(ana, ana.media_post(io.BytesIO(png(20, 20)), "image/png"))
    first = ana.status_post("frist", media_ids=[media])
    deleted = ana.status_delete(first.id)
    second = ana.status_post("first", media_ids=[one.id for one in deleted.media_attachments])
    assert second.media_attachments[0].id == media.id


def test_sound_is_kept_and_sent_in_parts(waxwing, ana):
    media = ana.media_post(io.BytesIO(wav()), "audio/wav", thumbnail=io.BytesIO(png(50, 50)), thumbnail_mime_type="image/png")
    media = ready(ana, media)
    assert media.type == "audio" and media.preview_url
    part = waxwing.session().get(media.url, headers={"Range": "bytes=0-3"}, timeout=10)
    assert (part.status_code, part.content) == (206, b"RIFF")
    assert part.headers["Content-Type"] == "audio/wav"


def test_what_is_no_media_is_refused(ana):
    with pytest.raises(MastodonAPIError):
        ana.media_post(io.BytesIO(b"<svg onload='alert(1)'/>"), "image/png")


def test_pictures_of_other_servers_are_shown_at_once(waxwing, ana):
    """Also where they are fetched by another node than the one that was asked for them."""
    servers = [fleet.Server(face=png(40 + n, 40)) for n in range(6)]
    try:
        for server in servers:
            [pip] = ana.search_v2(server.actor, resolve=True).accounts
            assert pip.avatar.startswith(waxwing.origin)
            begun = time.monotonic()
            for _ in range(3):
                shown = waxwing.session().get(pip.avatar, timeout=60)
                assert (shown.status_code, shown.content) == (200, server.face)
            assert time.monotonic() - begun < SHOWN_MAX_S
    finally:
        for server in servers:
            server.stop()


def test_an_upload_that_was_answered_is_made_ready_after_kill_9(tmp_path, authority):
    server = kit.Waxwing(tmp_path / "killed", authority)
    server.start()
    try:
        server.make_owner("ana", PASSWORD)
        app = kit.app(server, "ana", PASSWORD)
        # Large enough that some are still waiting when the server dies.
        pictures = [app.media_post(io.BytesIO(png(3000, 2000)), "image/png") for _ in range(4)]
        server.kill()
        server.start()
        for media in pictures:
            assert ready(app, media).meta.original.width == 3000
    finally:
        server.stop()
