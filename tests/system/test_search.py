"""Full-text search with a real client, over crashes of the real binary."""

import shutil

import pytest

import kit
import nodes

PASSWORD = "cedar and juniper"


@pytest.fixture(scope="module")
def ana(waxwing):
    waxwing.make_owner("ana", PASSWORD)
    client = kit.app(waxwing, "ana", PASSWORD)
    client.account_update_credentials(indexable=True, discoverable=True)
    return client


@pytest.fixture(scope="module")
def ben(waxwing, ana):
    waxwing.command("user", "create", "ben", password=PASSWORD)
    return kit.app(waxwing, "ben", PASSWORD)


def found(client, question):
    return [status.id for status in client.search_v2(question, result_type="statuses").statuses]


def soon(client, question, expected):
    """Every node has an index of its own, and any of them answers."""
    kit.eventually(
        lambda: all(found(client, question) == expected for _ in range(nodes.COUNT)), f"{question} finds {expected}"
    )


def test_words_phrases_and_operators(ana, ben):
    first = ana.status_post("A crème brûlée for the lighthouse keeper", language="en").id
    second = ana.status_post("東京の灯台 keeper of the lighthouse", language="ja", sensitive=True).id
    secret = ana.status_post("a lighthouse for followers", visibility="private").id
    soon(ben, "lighthouse", [second, first])
    soon(ana, "lighthouse", [secret, second, first])
    assert found(ben, "CREME brulee") == [first]
    assert found(ben, '"lighthouse keeper"') == [first]
    assert found(ben, "lighthouse -brulee") == [second]
    assert found(ben, "東京") == [second]
    assert found(ben, "from:ana language:ja") == [second]
    assert found(ben, "lighthouse is:sensitive") == [second]
    assert found(ben, "lighthouse from:me") == []
    assert found(ben, "lighthouse in:library") == []
    ben.status_bookmark(first)
    assert found(ben, "lighthouse in:library") == [first]
    assert found(ben, "lighthouse before:2020-01-01") == []
    assert found(ben, "lighthouse after:2020-01-01") == [second, first]
    ana.status_delete(second)
    assert found(ben, "lighthouse") == [first]


def test_people_are_found_by_their_names(ana, ben):
    ana.account_update_credentials(display_name="Zoë Fisher")
    kit.eventually(lambda: [a.acct for a in ben.search_v2("zoe fish").accounts] == ["ana"], "ana by her name")


def test_nothing_is_lost_or_doubled_when_the_power_goes(waxwing, ana):
    posted = []
    for n in range(4):
        posted.insert(0, ana.status_post(f"windmill number {n}").id)
        waxwing.kill()
        waxwing.start()
    soon(ana, "windmill", posted)
    edited = ana.status_update(posted[0], "a sawmill").id
    waxwing.kill()
    waxwing.start()
    soon(ana, "windmill", posted[1:])
    soon(ana, "sawmill", [edited])


def test_an_index_that_is_gone_or_damaged_is_made_anew(waxwing, ana):
    indexes = [path for path in waxwing.folder.rglob("*.search") if path.is_dir()]
    assert len(indexes) == nodes.COUNT
    before = found(ana, "windmill")
    assert len(before) == 3
    waxwing.stop()
    for file in (file for index in indexes for file in index.iterdir()):
        if not file.name.startswith("."):
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    waxwing.start()
    soon(ana, "windmill", before)
    waxwing.stop()
    for index in indexes:
        shutil.rmtree(index)
    waxwing.start()
    soon(ana, "windmill", before)
