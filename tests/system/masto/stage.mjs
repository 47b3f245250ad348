// What the tests share: the people of the sandbox, each with a client.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

import { noted } from "./surface.mjs";

// The library is the one that the example bot brings.
const require = createRequire(new URL("../../../examples/javascript/", import.meta.url));
const { createRestAPIClient, createStreamingAPIClient } = await import(
  pathToFileURL(require.resolve("masto")).href
);

export const url = process.env.WAXWING_URL;
// A server that is no sandbox has people that the tests' starter made.
const people = process.env.WAXWING_PEOPLE
  ? JSON.parse(process.env.WAXWING_PEOPLE)
  : (await (await fetch(`${url}/sandbox/people`)).json()).people;
const person = (name) => people.find((person) => person.username === name);

/** A REST client of somebody; without a name, of nobody. */
export const rest = (name) => withToken(name && person(name).token);
/** A REST client with this token. */
export const withToken = (accessToken) => noted(createRestAPIClient({ url, accessToken }));
/** A client for plain requests of somebody. */
export const token = (name) => person(name).token;

/** A streaming client of somebody. */
export async function streams(name) {
  const { configuration } = await rest(name).v2.instance.fetch();
  return createStreamingAPIClient({
    streamingApiUrl: configuration.urls.streaming,
    accessToken: person(name).token,
  });
}

/** A new person, so that tests do not meet. */
export async function join(name) {
  const app = await rest().v1.apps.create({
    clientName: "masto",
    redirectUris: "urn:ietf:wg:oauth:2.0:oob",
    scopes: "read write follow push",
  });
  const answer = await fetch(`${url}/oauth/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      grant_type: "client_credentials",
      client_id: app.clientId,
      client_secret: app.clientSecret,
      scope: "read write follow push",
    }),
  });
  const grant = await answer.json();
  const joined = await withToken(grant.access_token).v1.accounts.create({
    username: `${name}${Date.now() % 1e9}`,
    email: `${name}.${Date.now()}@example.com`,
    password: "cedar and juniper",
    agreement: true,
    locale: "en",
  });
  // A client is a proxy and cannot hold more, so its two halves are handed on.
  const { accessToken } = joined;
  const { v1, v2 } = withToken(accessToken);
  return { v1, v2, accessToken, me: await v1.accounts.verifyCredentials() };
}

/** A streaming client with a token of one's own. */
export async function listen(client) {
  const { configuration } = await client.v2.instance.fetch();
  return createStreamingAPIClient({
    streamingApiUrl: configuration.urls.streaming,
    accessToken: client.accessToken,
  });
}

/** Calls `check` until it gives something true. */
export async function eventually(check, what, most = 15_000) {
  const end = Date.now() + most;
  for (;;) {
    const found = await check();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not within ${most} ms: ${what}`);
    await new Promise((go) => setTimeout(go, 100));
  }
}

/** The next event of a stream that fits, while `act` is done until it comes. */
export async function hears(client, subscription, fits, act) {
  let heard;
  const listening = (async () => {
    for await (const event of subscription) {
      if (fits(event)) {
        heard = event;
        return;
      }
    }
  })();
  listening.catch(() => {});
  const end = Date.now() + 20_000;
  while (!heard && Date.now() < end) {
    await act();
    await new Promise((go) => setTimeout(go, 400));
  }
  client.close();
  if (!heard) throw new Error("the event did not come");
  return heard;
}
