// Every kind of stream, over one WebSocket as masto.js opens it.
import assert from "node:assert/strict";
import { test } from "node:test";

import { hears, join, listen } from "./stage.mjs";

const post = (client, status, more = {}) => client.v1.statuses.create({ status, visibility: "public", ...more });
const updates = (text) => (event) => event.event === "update" && event.payload.content.includes(text);

test("user stream brings home posts, edits and deletions", async () => {
  const [me, other] = [await join("ear"), await join("mouth")];
  await me.v1.accounts.$select(other.me.id).follow();
  let streams = await listen(me);
  const heard = await hears(streams, streams.user.subscribe(), updates("news"), () => post(other, "news"));
  assert.deepEqual(heard.stream, ["user"]);
  const { id } = heard.payload;
  streams = await listen(me);
  let n = 0;
  const edited = await hears(
    streams,
    streams.user.subscribe(),
    (event) => event.event === "status.update" && event.payload.id === id,
    () => other.v1.statuses.$select(id).update({ status: `edited ${n++}` }),
  );
  assert.match(edited.payload.content, /edited/);
  streams = await listen(me);
  await hears(
    streams,
    streams.user.subscribe(),
    (event) => event.event === "delete",
    async () => other.v1.statuses.$select((await post(other, "gone")).id).remove(),
  );
});

test("notifications have a stream of their own", async () => {
  const [me, other] = [await join("bell"), await join("ringer")];
  const streams = await listen(me);
  const heard = await hears(
    streams,
    streams.user.notification.subscribe(),
    (event) => event.event === "notification",
    () => post(other, `@${me.me.acct} ding`),
  );
  assert.equal(heard.payload.type, "mention");
  assert.deepEqual(heard.stream, ["user:notification"]);
});

test("public and hashtag streams", async () => {
  const [me, other] = [await join("crowd"), await join("crier")];
  let streams = await listen(me);
  await hears(streams, streams.public.local.subscribe(), updates("hear ye"), () => post(other, "hear ye"));
  streams = await listen(me);
  const tag = `t${other.me.username}`;
  const heard = await hears(streams, streams.hashtag.subscribe({ tag }), updates(tag), () => post(other, `x #${tag}`));
  assert.deepEqual(heard.stream, ["hashtag", tag]);
});

test("list streams", async () => {
  const [me, other] = [await join("curator"), await join("member")];
  await me.v1.accounts.$select(other.me.id).follow();
  const list = await me.v1.lists.create({ title: "few" });
  await me.v1.lists.$select(list.id).accounts.create({ accountIds: [other.me.id] });
  const streams = await listen(me);
  const heard = await hears(streams, streams.list.subscribe({ list: list.id }), updates("few"), () => post(other, "few"));
  assert.deepEqual(heard.stream, ["list", list.id]);
});

test("direct stream brings conversations", async () => {
  const [me, other] = [await join("confidant"), await join("teller")];
  const streams = await listen(me);
  const heard = await hears(
    streams,
    streams.direct.subscribe(),
    (event) => event.event === "conversation",
    () => post(other, `@${me.me.acct} quietly`, { visibility: "direct" }),
  );
  assert.match(heard.payload.lastStatus.content, /quietly/);
});
