// A real ActivityPub server (Fedify) with one person, "bob", for tests.
//
// Usage: node peer.mjs ORIGIN_PORT CONTROL_PORT CERT_PEM KEY_PEM
// Port 0 picks a free one. Prints one line of JSON with both ports when it
// serves. The fediverse side is HTTPS on localhost; the control side is plain
// HTTP on loopback and tells bob what to do and what he received.
import { createServer as createTls } from "node:https";
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { Temporal } from "@js-temporal/polyfill";
import {
  createFederation,
  generateCryptoKeyPair,
  InProcessMessageQueue,
  MemoryKvStore,
} from "@fedify/fedify";
import {
  Accept,
  Announce,
  Create,
  Delete,
  Endpoints,
  Follow,
  Like,
  Mention,
  Note,
  Person,
  PUBLIC_COLLECTION,
  Reject,
  Tombstone,
  Undo,
  Update,
} from "@fedify/fedify/vocab";

const [originPort, controlPort, certFile, keyFile] = process.argv.slice(2);
const BODY_MAX_BYTES = 1024 * 1024;
const BOB = "bob";

const keys = [await generateCryptoKeyPair("RSASSA-PKCS1-v1_5"), await generateCryptoKeyPair("Ed25519")];
const followers = new Map(); // actor id -> recipient
const following = new Map(); // follow id -> {target, accepted}
const notes = new Map(); // path id -> Note
const received = []; // every activity that passed the signature check
let origin = "";

const federation = createFederation({
  kv: new MemoryKvStore(),
  queue: new InProcessMessageQueue(),
  allowPrivateAddress: true,
});

federation
  .setActorDispatcher("/users/{identifier}", async (ctx, identifier) => {
    if (identifier !== BOB) return null;
    const pairs = await ctx.getActorKeyPairs(identifier);
    return new Person({
      id: ctx.getActorUri(identifier),
      preferredUsername: identifier,
      name: "Bob Waxbill",
      summary: "<p>A bird of another server.</p>",
      inbox: ctx.getInboxUri(identifier),
      endpoints: new Endpoints({ sharedInbox: ctx.getInboxUri() }),
      followers: ctx.getFollowersUri(identifier),
      outbox: ctx.getOutboxUri(identifier),
      url: new URL(`/@${identifier}`, ctx.origin),
      publicKey: pairs[0].cryptographicKey,
      assertionMethods: pairs.map((pair) => pair.multikey),
    });
  })
  .setKeyPairsDispatcher((_ctx, identifier) => (identifier === BOB ? keys : []));

federation.setFollowersDispatcher("/users/{identifier}/followers", (_ctx, identifier) =>
  identifier === BOB ? { items: [...followers.values()] } : null,
);
federation.setOutboxDispatcher("/users/{identifier}/outbox", (_ctx, identifier) =>
  identifier === BOB ? { items: [] } : null,
);
federation.setObjectDispatcher(Note, "/users/{identifier}/notes/{id}", (_ctx, { id }) => notes.get(id) ?? null);

async function record(ctx, activity) {
  const object = await activity.getObject(ctx).catch(() => null);
  received.push({
    type: activity.constructor.name,
    id: activity.id?.href,
    actor: activity.actorId?.href,
    object: activity.objectId?.href ?? object?.id?.href,
    objectType: object?.constructor.name,
    content: object?.content?.toString(),
    inReplyTo: object?.replyTargetId?.href,
    to: activity.toIds.map((id) => id.href),
    cc: activity.ccIds.map((id) => id.href),
  });
}

federation
  .setInboxListeners("/users/{identifier}/inbox", "/inbox")
  .on(Follow, async (ctx, follow) => {
    await record(ctx, follow);
    const follower = await follow.getActor(ctx);
    if (!follower?.id || !follow.id) return;
    followers.set(follower.id.href, follower);
    const accept = new Accept({
      id: new URL(`#accepts/${randomUUID()}`, ctx.getActorUri(BOB)),
      actor: ctx.getActorUri(BOB),
      object: follow,
    });
    await ctx.sendActivity({ identifier: BOB }, follower, accept);
  })
  .on(Accept, async (ctx, accept) => {
    await record(ctx, accept);
    const follow = following.get(accept.objectId?.href ?? (await accept.getObject(ctx))?.id?.href);
    if (follow) follow.accepted = true;
  })
  .on(Undo, async (ctx, undo) => {
    await record(ctx, undo);
    const object = await undo.getObject(ctx).catch(() => null);
    if (object instanceof Follow && undo.actorId) followers.delete(undo.actorId.href);
  })
  .on(Reject, record)
  .on(Create, record)
  .on(Update, record)
  .on(Delete, record)
  .on(Like, record)
  .on(Announce, record);

/** A fetch Request made of a node request. */
async function webRequest(request, base) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > BODY_MAX_BYTES) throw new Error("body too large");
    chunks.push(chunk);
  }
  const headers = new Headers();
  for (let i = 0; i < request.rawHeaders.length; i += 2) headers.append(request.rawHeaders[i], request.rawHeaders[i + 1]);
  const body = ["GET", "HEAD"].includes(request.method) ? undefined : Buffer.concat(chunks);
  return new Request(new URL(request.url, base), { method: request.method, headers, body });
}

async function answer(response, reply) {
  response.writeHead(reply.status, Object.fromEntries(reply.headers));
  response.end(Buffer.from(await reply.arrayBuffer()));
}

const fediverse = createTls({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, async (request, response) => {
  try {
    const reply = await federation.fetch(await webRequest(request, origin), { contextData: undefined });
    await answer(response, reply);
  } catch (error) {
    console.error(error);
    response.writeHead(500).end();
  }
});

const context = () => federation.createContext(new URL(origin), undefined);

async function recipient(ctx, id) {
  const actor = await ctx.lookupObject(id, { documentLoader: await ctx.getDocumentLoader({ identifier: BOB }) });
  if (!actor) throw new Error(`${id} cannot be looked up`);
  return actor;
}

/** Sends to one actor and to all followers. */
async function publish(ctx, activity, also) {
  const options = { preferSharedInbox: true };
  if (also) await ctx.sendActivity({ identifier: BOB }, also, activity);
  const others = [...followers.values()].filter((one) => one.id?.href !== also?.id?.href);
  if (others.length > 0) await ctx.sendActivity({ identifier: BOB }, others, activity, options);
}

const commands = {
  "GET /state": async () => ({
    actor: context().getActorUri(BOB).href,
    followers: [...followers.keys()],
    following: [...following.values()],
    received,
  }),
  "POST /follow": async ({ handle }) => {
    const ctx = context();
    const target = await recipient(ctx, handle);
    const id = new URL(`/follows/${randomUUID()}`, origin);
    following.set(id.href, { target: target.id.href, accepted: false });
    const follow = new Follow({ id, actor: ctx.getActorUri(BOB), object: target.id });
    await ctx.sendActivity({ identifier: BOB }, target, follow);
    return { id: id.href, target: target.id.href };
  },
  "POST /note": async ({ content, inReplyTo, mention, direct }) => {
    const ctx = context();
    const id = randomUUID();
    const to = mention ? await recipient(ctx, mention) : undefined;
    const note = new Note({
      id: ctx.getObjectUri(Note, { identifier: BOB, id }),
      attribution: ctx.getActorUri(BOB),
      content,
      mediaType: "text/html",
      published: Temporal.Now.instant(),
      url: new URL(`/@${BOB}/${id}`, origin),
      to: direct ? to.id : PUBLIC_COLLECTION,
      ccs: direct ? [] : [ctx.getFollowersUri(BOB), ...(to ? [to.id] : [])],
      replyTarget: inReplyTo ? new URL(inReplyTo) : undefined,
      tags: to ? [new Mention({ href: to.id, name: mention })] : [],
    });
    notes.set(id, note);
    const create = new Create({
      id: new URL(`#create`, note.id),
      actor: ctx.getActorUri(BOB),
      object: note,
      tos: note.toIds,
      ccs: note.ccIds,
    });
    await publish(ctx, create, to);
    return { id: note.id.href };
  },
  "POST /edit": async ({ id, content, mention }) => {
    const ctx = context();
    const key = id.split("/").pop();
    const note = notes.get(key).clone({ content, updated: Temporal.Now.instant() });
    notes.set(key, note);
    const update = new Update({
      id: new URL(`#update/${randomUUID()}`, note.id),
      actor: ctx.getActorUri(BOB),
      object: note,
      tos: note.toIds,
      ccs: note.ccIds,
    });
    await publish(ctx, update, mention ? await recipient(ctx, mention) : undefined);
    return {};
  },
  "POST /delete": async ({ id, mention }) => {
    const ctx = context();
    notes.delete(id.split("/").pop());
    const remove = new Delete({
      id: new URL(`${id}#delete`),
      actor: ctx.getActorUri(BOB),
      object: new Tombstone({ id: new URL(id) }),
      to: PUBLIC_COLLECTION,
    });
    await publish(ctx, remove, mention ? await recipient(ctx, mention) : undefined);
    return {};
  },
  "POST /like": async ({ object, mention }) => {
    const ctx = context();
    const like = new Like({
      id: new URL(`/likes/${randomUUID()}`, origin),
      actor: ctx.getActorUri(BOB),
      object: new URL(object),
    });
    await ctx.sendActivity({ identifier: BOB }, await recipient(ctx, mention), like);
    return { id: like.id.href };
  },
  "POST /announce": async ({ object, mention }) => {
    const ctx = context();
    const announce = new Announce({
      id: new URL(`/announces/${randomUUID()}`, origin),
      actor: ctx.getActorUri(BOB),
      object: new URL(object),
      published: Temporal.Now.instant(),
      to: PUBLIC_COLLECTION,
      cc: ctx.getFollowersUri(BOB),
    });
    await publish(ctx, announce, await recipient(ctx, mention));
    return { id: announce.id.href };
  },
};

const control = createServer(async (request, response) => {
  const command = commands[`${request.method} ${request.url}`];
  if (!command) return response.writeHead(404).end();
  try {
    const body = request.method === "POST" ? await (await webRequest(request, "http://control")).json() : {};
    const said = JSON.stringify(await command(body));
    response.writeHead(200, { "content-type": "application/json" }).end(said);
  } catch (error) {
    console.error(error);
    response.writeHead(500, { "content-type": "application/json" });
    response.end(JSON.stringify({ error: String(error), cause: String(error.cause ?? "") }));
  }
});

await new Promise((done) => fediverse.listen(Number(originPort), "127.0.0.1", done));
await new Promise((done) => control.listen(Number(controlPort), "127.0.0.1", done));
origin = `https://localhost:${fediverse.address().port}`;
console.log(JSON.stringify({ origin, control: `http://127.0.0.1:${control.address().port}` }));
// Ends with its parent, so that a test that dies leaves nothing behind.
process.stdin.on("end", () => process.exit(0)).resume();
