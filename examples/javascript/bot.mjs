// Answers every mention: `npm install`, then `node bot.mjs URL TOKEN` (Node 22 or newer).
import { createRestAPIClient, createStreamingAPIClient } from "masto";

const [url, accessToken] = process.argv.slice(2);
const api = createRestAPIClient({ url, accessToken });
const { configuration } = await api.v2.instance.fetch();
const streams = createStreamingAPIClient({ streamingApiUrl: configuration.urls.streaming, accessToken });

for await (const { event, payload } of streams.user.subscribe()) {
  if (event !== "notification" || payload.type !== "mention") continue;
  const { id, visibility } = payload.status;
  await api.v1.statuses.create({ status: `@${payload.account.acct} Chirp!`, inReplyToId: id, visibility });
}
