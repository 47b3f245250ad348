// What of the API an ordinary day does not touch, as masto.js sees it.
import assert from "node:assert/strict";
import { test } from "node:test";

import { eventually, join, rest, token, url } from "./stage.mjs";

const post = (client, status, more = {}) => client.v1.statuses.create({ status, visibility: "public", ...more });
const ids = (items) => items.map((item) => item.id);
const refused = (call, statusCode) => assert.rejects(async () => await call, { statusCode });

/** For calls that the server has no use for: each is refused with this status. */
async function eachRefused(statusCode, calls) {
  for (const call of calls) await refused(call(), statusCode);
}

test("more of the instance pages", async () => {
  const { instance } = rest().v1;
  assert.ok((await instance.peers.list()).includes(process.env.WAXWING_NEIGHBOUR ?? "birds.example"));
  assert.ok("content" in (await instance.extendedDescription.fetch()));
  assert.ok((await instance.languages.list()).some((language) => language.code === "en"));
  assert.deepEqual(await instance.translationLanguages.list(), {});
  assert.ok(Array.isArray(await instance.domainBlocks.fetch()));
});

test("who asks and with which app", async () => {
  const me = await join("app");
  assert.equal((await me.v1.apps.verifyCredentials()).name, "masto");
  // Only while the address is unconfirmed.
  await refused(me.v1.emails.confirmations.create({}), 403);
});

test("a profile is read, changed and bared", async () => {
  const me = await join("pictures");
  const changed = await me.v1.profile.update({ displayName: "Dora", hideCollections: true });
  assert.equal(changed.displayName, "Dora");
  assert.equal((await me.v1.profile.fetch()).hideCollections, true);
  assert.equal((await me.v1.profile.avatar.remove()).id, me.me.id);
  assert.equal((await me.v1.profile.header.remove()).id, me.me.id);
});

test("people are found, shown and known", async () => {
  const [me, friend, far] = [await join("seeks"), await join("friend"), await join("far")];
  const them = me.v1.accounts.$select(friend.me.id);
  const { accounts } = me.v1;
  assert.deepEqual(ids(await accounts.fetch({ id: [friend.me.id, me.me.id] })).sort(), [me.me.id, friend.me.id].sort());
  assert.deepEqual(ids(await accounts.search.list({ q: friend.me.username, limit: 1 })), [friend.me.id]);
  assert.deepEqual(ids((await me.v1.search.list({ q: friend.me.username })).accounts), [friend.me.id]);
  await them.follow();
  assert.deepEqual(ids(await accounts.$select(me.me.id).following.list()), [friend.me.id]);
  assert.equal((await them.endorse()).endorsed, true);
  assert.deepEqual(ids(await me.v1.endorsements.list()), [friend.me.id]);
  assert.deepEqual(ids(await friend.v1.accounts.$select(me.me.id).endorsements.list()), [friend.me.id]);
  assert.equal((await them.unendorse()).endorsed, false);
  assert.equal((await them.pin()).endorsed, true);
  assert.equal((await them.unpin()).endorsed, false);
  await friend.v1.accounts.$select(far.me.id).follow();
  const [known] = await accounts.familiarFollowers.fetch({ id: [far.me.id] });
  assert.deepEqual(ids(known.accounts), [friend.me.id]);
  assert.deepEqual(await them.identityProofs.list(), []);
  await friend.v1.accounts.$select(me.me.id).removeFromFollowers();
  assert.deepEqual(await accounts.$select(me.me.id).following.list(), []);
});

test("suggestions are turned down", async () => {
  const me = await join("choosy");
  const suggested = await me.v1.suggestions.list();
  assert.ok(Array.isArray(suggested));
  for (const { id } of suggested.slice(0, 1)) {
    await me.v1.suggestions.$select(id).remove();
    assert.ok(!ids(await me.v1.suggestions.list()).includes(id));
  }
});

test("a locked account lets in whom it likes", async () => {
  const [me, liked, other] = [await join("locked"), await join("liked"), await join("unliked")];
  await me.v1.accounts.updateCredentials({ locked: true });
  for (const one of [liked, other]) assert.ok((await one.v1.accounts.$select(me.me.id).follow()).requested);
  assert.equal((await me.v1.followRequests.list()).length, 2);
  assert.equal((await me.v1.followRequests.$select(liked.me.id).authorize()).followedBy, true);
  assert.equal((await me.v1.followRequests.$select(other.me.id).reject()).followedBy, false);
  assert.deepEqual(await me.v1.followRequests.list(), []);
});

test("more of posts", async () => {
  const [me, other] = [await join("writes"), await join("quotes")];
  const first = await post(me, "one", { quoteApprovalPolicy: "public" });
  const status = me.v1.statuses.$select(first.id);
  assert.deepEqual(ids(await me.v1.statuses.fetch({ id: [first.id] })), [first.id]);
  assert.equal((await status.mute()).muted, true);
  assert.equal((await status.unmute()).muted, false);
  await refused(status.translate({ lang: "de" }), 404);
  assert.ok(!(await status.card.fetch())?.url, "there is no link in it");
  const quoting = await post(other, "so true", { quotedStatusId: first.id });
  await eventually(async () => ids(await status.quotes.list()).includes(quoting.id), "the quote");
  const polled = await post(me, "which?", { poll: { options: ["a", "b"], expiresIn: 3600 } });
  assert.equal((await other.v1.polls.$select(polled.poll.id).fetch()).id, polled.poll.id);
  const at = new Date(Date.now() + 3600_000).toISOString();
  const planned = await me.v1.statuses.create({ status: "later", scheduledAt: at });
  assert.equal((await me.v1.scheduledStatuses.$select(planned.id).fetch()).id, planned.id);
});

test("pictures are uploaded the old way", async () => {
  const me = await join("oldway");
  const png = Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR4nGP8z8DAwMDAxMDAwMDAAAANHQEDasKb6QAAAABJRU5ErkJggg==",
    "base64",
  );
  const media = await me.v1.media.create({ file: new Blob([png], { type: "image/png" }) });
  assert.ok(media.url, "the old way waits until it is ready");
  assert.equal((await me.v1.media.$select(media.id).fetch()).id, media.id);
});

test("tags, and timelines of more kinds", async () => {
  const [me, other] = [await join("tagged"), await join("direct")];
  const name = `more${me.me.username}`;
  await post(me, `mine #${name}`);
  assert.equal((await me.v1.tags.$select(name).fetch()).name, name);
  assert.deepEqual((await me.v1.featuredTags.suggestions.list()).map((tag) => tag.name), [name]);
  await me.v1.tags.$select(name).feature();
  assert.deepEqual((await other.v1.accounts.$select(me.me.id).featuredTags.list()).map((tag) => tag.name), [name]);
  await me.v1.tags.$select(name).unfeature();
  assert.deepEqual(await me.v1.featuredTags.list(), []);
  const said = await post(other, `@${me.me.acct} quietly`, { visibility: "direct" });
  assert.deepEqual(ids(await me.v1.timelines.direct.list()), [said.id]);
  const [talk] = await me.v1.conversations.list();
  assert.equal((await me.v1.conversations.$select(talk.id).read()).unread, false);
  assert.equal((await me.v1.conversations.$select(talk.id).unread()).unread, true);
  await refused(me.v1.timelines.link.list({ url: "https://news.example/1" }), 404);
});

test("lists let go of people", async () => {
  const [me, other] = [await join("flock"), await join("member")];
  await me.v1.accounts.$select(other.me.id).follow();
  const { id } = await me.v1.lists.create({ title: "friends", exclusive: true });
  const list = me.v1.lists.$select(id);
  assert.equal((await list.fetch()).exclusive, true);
  await list.accounts.create({ accountIds: [other.me.id] });
  await list.accounts.remove({ accountIds: [other.me.id] });
  assert.deepEqual(await list.accounts.list(), []);
});

test("filters of the first kind", async () => {
  const me = await join("firstkind");
  const made = await me.v1.filters.create({ phrase: "hawk", context: ["home"], wholeWord: true, expiresIn: 3600 });
  const filter = me.v1.filters.$select(made.id);
  assert.deepEqual(ids(await me.v1.filters.list()), [made.id]);
  assert.equal((await filter.update({ phrase: "hawks", context: ["public"] })).phrase, "hawks");
  assert.deepEqual((await filter.fetch()).context, ["public"]);
  await filter.remove();
  assert.deepEqual(await me.v1.filters.list(), []);
});

test("every part of a filter", async () => {
  const [me, other] = [await join("parts"), await join("hawk")];
  const keywordsAttributes = [{ keyword: "hawk" }];
  const made = await me.v2.filters.create({ title: "prey", context: ["public"], filterAction: "hide", keywordsAttributes });
  const filter = me.v2.filters.$select(made.id);
  assert.equal((await filter.update({ title: "birds of prey", expiresIn: 3600 })).title, "birds of prey");
  assert.equal((await filter.fetch()).keywords[0].keyword, "hawk");
  const word = me.v2.filters.keywords.$select(made.keywords[0].id);
  assert.equal((await word.update({ keyword: "eagle", wholeWord: true })).keyword, "eagle");
  assert.equal((await word.fetch()).wholeWord, true);
  const said = await post(other, "a hawk");
  const entry = await filter.statuses.create({ statusId: said.id });
  assert.deepEqual(ids(await filter.statuses.list()), [entry.id]);
  const one = me.v2.filters.statuses.$select(entry.id);
  assert.equal((await one.fetch()).statusId, said.id);
  await one.remove();
  assert.deepEqual(await filter.statuses.list(), []);
});

test("notifications one at a time and by group", async () => {
  const [me, fan] = [await join("noticed"), await join("noticing")];
  const mine = await post(me, "like this");
  await fan.v1.statuses.$select(mine.id).favourite();
  assert.equal((await me.v1.notifications.fetch()).length, 1);
  const [told] = await me.v1.notifications.list();
  assert.equal((await me.v1.notifications.$select(told.id).fetch()).id, told.id);
  assert.equal((await me.v2.notifications.unreadCount.fetch()).count, 1);
  const [{ groupKey }] = (await me.v2.notifications.list()).notificationGroups;
  const group = me.v2.notifications.$select(groupKey);
  assert.equal((await group.fetch()).notificationGroups[0].groupKey, groupKey);
  assert.deepEqual(ids(await group.accounts.fetch()), [fan.me.id]);
  await group.dismiss();
  assert.deepEqual(await me.v1.notifications.list(), []);
});

test("requests are taken and left, one and many", async () => {
  const me = await join("asked");
  assert.equal((await me.v2.notifications.policy.fetch()).forNotFollowing, "accept");
  await me.v2.notifications.policy.update({ forNotFollowing: "filter" });
  for (const name of ["a", "b", "c"]) await post(await join(`stranger${name}`), `@${me.me.acct} psst`);
  const { requests } = me.v1.notifications;
  const waiting = ids(await requests.list());
  assert.equal(waiting.length, 3);
  assert.equal((await requests.$select(waiting[0]).fetch()).id, waiting[0]);
  await requests.$select(waiting[0]).dismiss();
  await requests.accept({ id: [waiting[1]] });
  await requests.dismiss({ id: [waiting[2]] });
  await eventually(async () => (await requests.merged.fetch()).merged, "they are merged");
  assert.equal((await me.v1.notifications.list()).length, 1);
  assert.deepEqual(await requests.list(), []);
});

test("a push subscription is changed", async () => {
  const me = await join("changes");
  const keys = {
    p256dh: "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM",
    auth: "tBHItJI5svbpez7KI4CCXg",
  };
  const subscription = { endpoint: "https://push.example/changes", keys };
  await me.v1.push.subscription.create({ subscription, data: { alerts: { mention: true } }, policy: "all" });
  const changed = await me.v1.push.subscription.update({ data: { alerts: { poll: true } } });
  assert.deepEqual([changed.alerts.poll, changed.endpoint], [true, subscription.endpoint]);
});

test("announcements are read and reacted to", async () => {
  const me = await join("reader");
  const headers = { authorization: `Bearer ${token("admin")}`, "content-type": "application/json" };
  const body = JSON.stringify({ text: "Down on Sunday" });
  const made = await (await fetch(`${url}/api/v1/admin/announcements`, { method: "POST", headers, body })).json();
  const announcement = me.v1.announcements.$select(made.id);
  const find = async () => (await me.v1.announcements.list()).find((one) => one.id === made.id);
  await announcement.reactions.$select("🐦").update();
  assert.equal((await find()).reactions[0].me, true);
  await announcement.reactions.$select("🐦").remove();
  assert.deepEqual((await find()).reactions, []);
  await announcement.dismiss();
  assert.equal((await find()).read, true);
});

test("what is not there is said to be missing", async () => {
  const me = await join("missing");
  const year = me.v1.annualReports.$select("2025");
  assert.deepEqual((await me.v1.annualReports.list()).annualReports, []);
  assert.equal((await year.state.fetch()).state, "ineligible");
  const [account, collection] = [me.v1.accounts.$select(me.me.id), me.v1.collections.$select("1")];
  assert.deepEqual((await account.collections.list()).collections, []);
  assert.deepEqual((await account.inCollections.list()).collections, []);
  await eachRefused(404, [
    () => year.fetch(),
    () => year.generate(),
    () => year.read(),
    () => me.v1.collections.create({ name: "birds" }),
    () => collection.fetch(),
    () => collection.update({ name: "birds" }),
    () => collection.remove(),
    () => collection.items.create({ accountId: me.me.id }),
    () => collection.items.$select("1").remove(),
    () => collection.items.$select("1").revoke(),
  ]);
});

test("admins act on accounts and reports", async () => {
  const [{ admin }, other] = [rest("admin").v1, await join("bad")];
  const account = admin.accounts.$select(other.me.id);
  await account.action.create({ type: "sensitive" });
  assert.equal((await account.unsensitive()).sensitized, false);
  await account.action.create({ type: "disable" });
  assert.equal((await account.enable()).disabled, false);
  await account.action.create({ type: "suspend" });
  assert.equal((await account.unsuspend()).suspended, false);
  await eachRefused(403, [() => account.approve(), () => account.reject()]);
  const me = await join("reporter");
  const { id } = await me.v1.reports.create({ accountId: other.me.id, comment: "rude" });
  const report = admin.reports.$select(id);
  assert.ok(ids(await admin.reports.list({ limit: 200 })).includes(id));
  assert.equal((await report.assignToSelf()).assignedAccount.username, "admin");
  assert.equal((await report.unassign()).assignedAccount, null);
  await report.resolve();
  assert.equal((await report.reopen()).actionTaken, false);
});

test("admins shut out and let in", async () => {
  const { admin } = rest("admin").v1;
  const email = "eve@mail.example";
  for (const [kind, given] of [
    [admin.canonicalEmailBlocks, { email }],
    [admin.domainAllows, { domain: "good.example" }],
    [admin.emailDomainBlocks, { domain: "spam.example" }],
    [admin.ipBlocks, { ip: "203.0.113.0/24", severity: "sign_up_block" }],
    [admin.domainBlocks, { domain: "worse.example", severity: "silence" }],
  ]) {
    const { id } = await kind.create(given);
    assert.ok(ids(await kind.list()).includes(id));
    assert.equal((await kind.$select(id).fetch()).id, id);
    if (given.email) assert.deepEqual(ids(await kind.test({ email })), [id]);
    if (given.severity) {
      const [severity, field] = given.ip ? ["no_access", "comment"] : ["suspend", "privateComment"];
      const changed = await kind.$select(id).update({ severity, [field]: "flood" });
      assert.deepEqual([changed.severity, changed[field]], [severity, "flood"]);
    }
    await kind.$select(id).remove();
    assert.ok(!ids(await kind.list()).includes(id));
  }
});

test("admins see figures and what trends", async () => {
  const { admin } = rest("admin").v1;
  const [startAt, endAt] = [-7, 0].map((days) => new Date(Date.now() + days * 86_400_000).toISOString());
  const [measure] = await admin.measures.create({ keys: ["new_users"], startAt, endAt });
  assert.equal(measure.key, "new_users");
  assert.ok(Number(measure.total) > 0);
  const [dimension] = await admin.dimensions.create({ keys: ["languages"], startAt, endAt });
  assert.ok(Array.isArray(dimension.data));
  assert.ok((await admin.retention.create({ startAt, endAt, frequency: "day" })).length > 0);
  const { links, statuses, tags } = admin.trends;
  for (const list of [links, statuses, tags, links.publishers]) assert.ok(Array.isArray(await list.list()));
  // What trends needs nobody's leave here.
  for (const kind of [links, statuses, tags, links.publishers]) {
    await assert.rejects(async () => await kind.$select("1").approve());
    await assert.rejects(async () => await kind.$select("1").reject());
  }
});
