// Each group of the API, as masto.js sees it.
import assert from "node:assert/strict";
import { test } from "node:test";

import { eventually, join, rest, url } from "./stage.mjs";

const post = (client, status, more = {}) => client.v1.statuses.create({ status, visibility: "public", ...more });
const ids = (items) => items.map((item) => item.id);

test("instance pages", async () => {
  const client = rest();
  const [v1, v2] = [await client.v1.instance.fetch(), await client.v2.instance.fetch()];
  assert.match(v2.version, /compatible; Waxwing/);
  assert.ok(v1.urls.streamingApi.startsWith("ws://") && v2.configuration.urls.streaming.startsWith("ws://"));
  assert.ok(v2.configuration.statuses.maxCharacters >= 500);
  assert.ok(Array.isArray(await client.v1.instance.rules.list()));
  assert.ok(Array.isArray(await client.v1.customEmojis.list()));
  assert.equal((await client.v1.instance.activity.list()).length, 12);
});

test("sign-up, credentials and profile", async () => {
  const me = await join("profile");
  const changed = await me.v1.accounts.updateCredentials({
    displayName: "Dora",
    note: "hello",
    fieldsAttributes: [{ name: "home", value: "cedar" }],
    source: { privacy: "unlisted" },
  });
  assert.equal(changed.displayName, "Dora");
  assert.equal(changed.source.fields[0].name, "home");
  assert.equal(changed.source.privacy, "unlisted");
  const again = await me.v1.accounts.$select(changed.id).fetch();
  assert.match(again.note, /hello/);
  assert.equal((await me.v1.accounts.lookup({ acct: changed.acct })).id, changed.id);
  assert.equal((await me.v1.preferences.fetch())["posting:default:visibility"], "unlisted");
});

test("follow, mute, block and notes", async () => {
  const [me, other] = [await join("relate"), await join("other")];
  const them = me.v1.accounts.$select(other.me.id);
  assert.equal((await them.follow({ reblogs: false, notify: true })).following, true);
  const [relation] = await me.v1.accounts.relationships.fetch({ id: [other.me.id] });
  assert.equal(relation.notifying, true);
  assert.equal(relation.showingReblogs, false);
  assert.deepEqual(ids(await them.followers.list()), [me.me.id]);
  assert.equal((await them.note.create({ comment: "from the walk" })).note, "from the walk");
  assert.equal((await them.mute({ duration: 60 })).muting, true);
  assert.deepEqual(ids(await me.v1.mutes.list()), [other.me.id]);
  assert.equal((await them.unmute()).muting, false);
  assert.equal((await them.block()).blocking, true);
  assert.deepEqual(ids(await me.v1.blocks.list()), [other.me.id]);
  assert.equal((await them.unblock()).blocking, false);
  assert.equal((await them.unfollow()).following, false);
});

test("posts are written, edited, kept in history and deleted", async () => {
  const me = await join("posts");
  const first = await post(me, "one #cedar", { spoilerText: "care", sensitive: true, language: "en" });
  assert.deepEqual(first.tags.map((tag) => tag.name), ["cedar"]);
  const status = me.v1.statuses.$select(first.id);
  const edited = await status.update({ status: "two #cedar" });
  assert.ok(edited.editedAt);
  const history = await status.history.list();
  assert.deepEqual(history.map((version) => version.content.replace(/<[^>]+>/g, "")), ["one #cedar", "two #cedar"]);
  assert.equal((await status.source.fetch()).text, "two #cedar");
  const reply = await post(me, "three", { inReplyToId: first.id });
  assert.deepEqual(ids((await status.context.fetch()).descendants), [reply.id]);
  assert.equal((await status.pin()).pinned, true);
  assert.deepEqual(ids(await me.v1.accounts.$select(me.me.id).statuses.list({ pinned: true })), [first.id]);
  assert.equal((await status.unpin()).pinned, false);
  assert.equal((await status.mute()).muted, true);
  const removed = await status.remove();
  assert.equal(removed.text, "two #cedar");
  await assert.rejects(status.fetch(), /not found/i);
});

test("favourites, bookmarks and boosts", async () => {
  const [me, other] = [await join("likes"), await join("author")];
  const theirs = await post(other, "like me");
  const status = me.v1.statuses.$select(theirs.id);
  assert.equal((await status.favourite()).favourited, true);
  assert.equal((await status.bookmark()).bookmarked, true);
  const boost = await status.reblog();
  assert.equal(boost.reblog.id, theirs.id);
  assert.deepEqual(ids(await me.v1.favourites.list()), [theirs.id]);
  assert.deepEqual(ids(await me.v1.bookmarks.list()), [theirs.id]);
  assert.deepEqual(ids(await status.favouritedBy.list()), [me.me.id]);
  assert.deepEqual(ids(await status.rebloggedBy.list()), [me.me.id]);
  assert.equal((await status.unreblog()).reblogged, false);
  assert.equal((await status.unfavourite()).favourited, false);
  assert.equal((await status.unbookmark()).bookmarked, false);
});

test("polls", async () => {
  const [me, other] = [await join("asks"), await join("votes")];
  const asked = await post(me, "which berry?", {
    poll: { options: ["juniper", "rowan"], expiresIn: 3600, multiple: false },
  });
  assert.equal(asked.poll.options.length, 2);
  const voted = await other.v1.polls.$select(asked.poll.id).votes.create({ choices: [1] });
  assert.equal(voted.voted, true);
  assert.deepEqual(voted.ownVotes, [1]);
  assert.equal(voted.options[1].votesCount, 1);
  await assert.rejects(other.v1.polls.$select(asked.poll.id).votes.create({ choices: [0] }));
});

test("scheduled posts", async () => {
  const me = await join("later");
  const at = new Date(Date.now() + 3600_000).toISOString();
  const planned = await me.v1.statuses.create({ status: "later", scheduledAt: at });
  assert.equal(planned.params.text, "later");
  const one = me.v1.scheduledStatuses.$select(planned.id);
  const moved = new Date(Date.now() + 7200_000).toISOString();
  assert.equal(new Date((await one.update({ scheduledAt: moved })).scheduledAt).getTime(), new Date(moved).getTime());
  assert.deepEqual(ids(await me.v1.scheduledStatuses.list()), [planned.id]);
  await one.remove();
  assert.deepEqual(ids(await me.v1.scheduledStatuses.list()), []);
});

test("media", async () => {
  const me = await join("media");
  const png = Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR4nGP8z8DAwMDAxMDAwMDAAAANHQEDasKb6QAAAABJRU5ErkJggg==",
    "base64",
  );
  const media = await me.v2.media.create({ file: new Blob([png], { type: "image/png" }), description: "four dots" });
  assert.equal(media.type, "image");
  assert.equal(media.description, "four dots");
  const changed = await me.v1.media.$select(media.id).update({ description: "two by two", focus: "0.5,-0.5" });
  assert.equal(changed.description, "two by two");
  const status = await post(me, "look", { mediaIds: [media.id] });
  assert.equal(status.mediaAttachments[0].id, media.id);
  const picture = await fetch(status.mediaAttachments[0].url);
  assert.equal(picture.status, 200);
  assert.match(picture.headers.get("content-type"), /^image\//);
});

test("timelines page both ways", async () => {
  const me = await join("pages");
  const written = [];
  for (let n = 0; n < 7; n++) written.unshift((await post(me, `post ${n} #pagesof${me.me.username}`)).id);
  const tag = `pagesof${me.me.username}`;
  const walked = [];
  for await (const page of me.v1.timelines.tag.$select(tag).list({ limit: 3 })) walked.push(...ids(page));
  assert.deepEqual(walked, written);
  const home = await eventually(async () => {
    const found = ids(await me.v1.timelines.home.list({ limit: 7 }));
    return found.length === 7 && found;
  }, "home");
  assert.deepEqual(home, written);
  const after = await me.v1.timelines.tag.$select(tag).list({ limit: 2, minId: written[5] });
  assert.deepEqual(ids(after), [written[3], written[4]]);
  assert.ok((await rest().v1.timelines.public.list({ local: true, limit: 1 })).length === 1);
});

test("lists", async () => {
  const [me, other] = [await join("lister"), await join("listed")];
  const list = await me.v1.lists.create({ title: "friends" });
  await assert.rejects(me.v1.lists.$select(list.id).accounts.create({ accountIds: [other.me.id] }));
  await me.v1.accounts.$select(other.me.id).follow();
  await me.v1.lists.$select(list.id).accounts.create({ accountIds: [other.me.id] });
  assert.deepEqual(ids(await me.v1.lists.$select(list.id).accounts.list()), [other.me.id]);
  const said = await post(other, "for the list");
  await eventually(async () => ids(await me.v1.timelines.list.$select(list.id).list()).includes(said.id), "list timeline");
  assert.equal((await me.v1.lists.$select(list.id).update({ title: "flock" })).title, "flock");
  assert.deepEqual(ids(await me.v1.accounts.$select(other.me.id).lists.list()), [list.id]);
  await me.v1.lists.$select(list.id).remove();
  assert.deepEqual(await me.v1.lists.list(), []);
});

test("filters", async () => {
  const [me, other] = [await join("filters"), await join("noisy")];
  const filter = await me.v2.filters.create({
    title: "hawks",
    context: ["home", "public"],
    filterAction: "warn",
    keywordsAttributes: [{ keyword: "hawk", wholeWord: true }],
  });
  assert.equal(filter.keywords[0].keyword, "hawk");
  const said = await post(other, "a hawk overhead #hawkish");
  const [seen] = await me.v1.timelines.tag.$select("hawkish").list({ limit: 1 });
  assert.equal(seen.id, said.id);
  assert.equal(seen.filtered[0].filter.title, "hawks");
  const word = await me.v2.filters.$select(filter.id).keywords.create({ keyword: "eagle" });
  assert.equal((await me.v2.filters.$select(filter.id).keywords.list()).length, 2);
  await me.v2.filters.keywords.$select(word.id).remove();
  await me.v2.filters.$select(filter.id).remove();
  assert.deepEqual(await me.v2.filters.list(), []);
});

test("notifications, one by one and in groups", async () => {
  const [me, one, two] = [await join("told"), await join("fan"), await join("fantoo")];
  const mine = await post(me, "like this");
  await one.v1.statuses.$select(mine.id).favourite();
  await two.v1.statuses.$select(mine.id).favourite();
  await post(one, `@${me.me.acct} hello`);
  const all = await eventually(async () => {
    const found = await me.v1.notifications.list();
    return found.length === 3 && found;
  }, "three notifications");
  assert.deepEqual(all.map((told) => told.type).sort(), ["favourite", "favourite", "mention"]);
  assert.equal((await me.v1.notifications.unreadCount.fetch()).count, 3);
  const grouped = await me.v2.notifications.list({ groupedTypes: ["favourite"] });
  const likes = grouped.notificationGroups.find((group) => group.type === "favourite");
  assert.equal(likes.notificationsCount, 2);
  assert.equal(grouped.accounts.length, 2);
  await me.v1.notifications.$select(all[0].id).dismiss();
  await me.v1.notifications.clear();
  assert.deepEqual(await me.v1.notifications.list(), []);
});

test("notification policy and requests", async () => {
  const [me, stranger] = [await join("picky"), await join("stranger")];
  const policy = await me.v2.notifications.policy.update({ forNotFollowing: "filter" });
  assert.equal(policy.forNotFollowing, "filter");
  await post(stranger, `@${me.me.acct} psst`);
  const [request] = await eventually(async () => {
    const found = await me.v1.notifications.requests.list();
    return found.length && found;
  }, "a request");
  assert.equal(request.account.id, stranger.me.id);
  assert.deepEqual(await me.v1.notifications.list(), []);
  await me.v1.notifications.requests.$select(request.id).accept();
  await eventually(async () => (await me.v1.notifications.list()).length === 1, "merged");
});

test("conversations", async () => {
  const [me, other] = [await join("private"), await join("whisper")];
  const said = await post(other, `@${me.me.acct} quietly`, { visibility: "direct" });
  const [talk] = await eventually(async () => {
    const found = await me.v1.conversations.list();
    return found.length && found;
  }, "a conversation");
  assert.equal(talk.unread, true);
  assert.equal(talk.lastStatus.id, said.id);
  assert.equal((await me.v1.conversations.$select(talk.id).read()).unread, false);
  await me.v1.conversations.$select(talk.id).remove();
  assert.deepEqual(await me.v1.conversations.list(), []);
});

test("tags are followed and featured", async () => {
  const [me, other] = [await join("tags"), await join("tagger")];
  const name = `tag${me.me.username}`;
  assert.equal((await me.v1.tags.$select(name).follow()).following, true);
  assert.deepEqual((await me.v1.followedTags.list()).map((tag) => tag.name), [name]);
  const said = await post(other, `see #${name}`);
  await eventually(async () => ids(await me.v1.timelines.home.list()).includes(said.id), "home has the tag's post");
  const featured = await me.v1.featuredTags.create({ name });
  assert.equal((await me.v1.featuredTags.list())[0].name, name);
  await me.v1.featuredTags.$select(featured.id).remove();
  assert.equal((await me.v1.tags.$select(name).unfollow()).following, false);
});

test("domain blocks and reports", async () => {
  const [me, other] = [await join("guard"), await join("rude")];
  await me.v1.domainBlocks.create({ domain: "spam.example" });
  assert.deepEqual(await me.v1.domainBlocks.list(), ["spam.example"]);
  await me.v1.domainBlocks.remove({ domain: "spam.example" });
  assert.deepEqual(await me.v1.domainBlocks.list(), []);
  const report = await me.v1.reports.create({ accountId: other.me.id, comment: "rude", category: "other" });
  assert.equal(report.targetAccount.id, other.me.id);
  const admin = rest("admin");
  const filed = await admin.v1.admin.reports.$select(report.id).fetch();
  assert.equal(filed.comment, "rude");
  assert.ok((await admin.v1.admin.reports.$select(report.id).resolve()).actionTaken);
});

test("search finds people, tags and posts", async () => {
  const me = await join("seeker");
  const word = `juniper${me.me.username}`;
  const said = await post(me, `the ${word} is ripe #${word}`);
  const people = await me.v2.search.list({ q: me.me.username, type: "accounts" });
  assert.deepEqual(ids(people.accounts), [me.me.id]);
  const tags = await me.v2.search.list({ q: word, type: "hashtags" });
  assert.equal(tags.hashtags[0].name, word);
  await eventually(async () => {
    const found = await me.v2.search.list({ q: word, type: "statuses" });
    return ids(found.statuses).includes(said.id);
  }, "the post is indexed");
});

test("markers, suggestions, directory, trends, announcements", async () => {
  const me = await join("rest");
  const said = await post(me, "mark");
  const markers = await me.v1.markers.create({ home: { lastReadId: said.id } });
  assert.equal(markers.home.lastReadId, said.id);
  assert.equal((await me.v1.markers.fetch({ timeline: ["home"] })).home.version, markers.home.version);
  for (const list of [
    me.v2.suggestions.list(),
    me.v1.directory.list(),
    me.v1.trends.tags.list(),
    me.v1.trends.statuses.list(),
    me.v1.trends.links.list(),
    me.v1.announcements.list(),
  ]) {
    assert.ok(Array.isArray(await list));
  }
});

test("push subscriptions", async () => {
  const { WAXWING_PUSH: endpoint = "https://push.example/x", WAXWING_OUTBOX: outbox = `${url}/sandbox` } = process.env;
  const me = await join("push");
  const keys = {
    p256dh: "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM",
    auth: "tBHItJI5svbpez7KI4CCXg",
  };
  const made = await me.v1.push.subscription.create({
    subscription: { endpoint, keys },
    data: { alerts: { mention: true }, policy: "all" },
  });
  assert.equal(made.alerts.mention, true);
  assert.equal((await me.v1.push.subscription.fetch()).endpoint, endpoint);
  const other = await join("pusher");
  await post(other, `@${me.me.acct} ding`);
  const asserted = await fetch(`${outbox}/assert?kind=push&wait_s=10`);
  assert.equal(asserted.status, 200);
  await me.v1.push.subscription.remove();
  await assert.rejects(me.v1.push.subscription.fetch());
});

test("admins see and act on accounts", async () => {
  const [admin, other] = [rest("admin"), await join("acted")];
  const listed = await admin.v2.admin.accounts.list({ username: other.me.username });
  assert.deepEqual(ids(listed), [other.me.id]);
  await admin.v1.admin.accounts.$select(other.me.id).action.create({ type: "silence" });
  assert.equal((await admin.v1.admin.accounts.$select(other.me.id).fetch()).silenced, true);
  await admin.v1.admin.accounts.$select(other.me.id).unsilence();
  const block = await admin.v1.admin.domainBlocks.create({ domain: "bad.example", severity: "suspend" });
  assert.equal((await admin.v1.admin.domainBlocks.$select(block.id).fetch()).severity, "suspend");
  await admin.v1.admin.domainBlocks.$select(block.id).remove();
  await assert.rejects(async () => await other.v1.admin.accounts.list());
});
