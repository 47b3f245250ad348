// How people order what they see and what they have written, with scripts
// and without: edits, pins, posts for later, lists, requests, filters, muting and blocking.
import { expect, step } from "./kit.mjs";

const post = (page, text) => page.locator(".post", { hasText: text }).first();

async function choose(page, text, name) {
  await post(page, text).locator("details.menu > summary").click();
  await post(page, text).locator(".sheet").getByText(name).click();
}

async function choosePerson(page, name, what) {
  await page.locator(".profile").getByLabel(`More about ${name}`).click();
  await page.locator(".profile .sheet").getByText(what, { exact: true }).click();
}

async function write(page, text) {
  await page.goto("/compose");
  await page.locator("#text").fill(text);
  await page.locator("form.compose .send button").click();
  await page.getByText("Your post is out").waitFor();
}

async function ownPosts({ name, page }, mode) {
  await step(`${mode}: edit a post, and read what it said before`, async () => {
    await write(page, `Three larks ${mode}`);
    await page.goto(`/@${name}`);
    await choose(page, `Three larks ${mode}`, "Edit");
    expect(await page.inputValue("#text"), `Three larks ${mode}`, "text to edit");
    await page.locator("#text").fill("");
    await page.locator("form.compose .send button").click();
    await page.getByRole("alert").waitFor();
    await page.locator("#text").fill(`Four larks ${mode}`);
    await page.locator("form.compose .send button").click();
    await page.getByText("Your post is changed").waitFor();
    await post(page, `Four larks ${mode}`).waitFor();
    await page.locator(".facts").getByRole("link", { name: "edited" }).click();
    await page.getByText(`Three larks ${mode}`).waitFor();
    await page.getByText(`Four larks ${mode}`).waitFor();
  });
  await step(`${mode}: an edit keeps a poll and its votes`, async () => {
    await page.goto("/compose");
    await page.locator("#text").fill(`Lark or wren ${mode}`);
    await page.locator("summary", { hasText: /^Poll$/ }).click();
    await page.fill("#option1", "Lark");
    await page.fill("#option2", "Wren");
    await page.locator("form.compose .send button").click();
    await page.goto(`/@${name}`);
    await choose(page, `Lark or wren ${mode}`, "Edit");
    await page.locator("#text").fill(`Wren or lark ${mode}`);
    await page.locator("form.compose .send button").click();
    await page.getByText("Your post is changed").waitFor();
    await post(page, `Wren or lark ${mode}`).getByText("Lark", { exact: true }).waitFor();
  });
  await step(`${mode}: pin a post to the profile and take it down`, async () => {
    await page.goto(`/@${name}`);
    await choose(page, `Four larks ${mode}`, "Pin to profile");
    await page.locator(".pinned .post", { hasText: `Four larks ${mode}` }).waitFor();
    await choose(page, `Four larks ${mode}`, "Unpin");
    await page.locator(".pinned").waitFor({ state: "detached" });
  });
  await step(`${mode}: mute a thread and hear of it again`, async () => {
    await choose(page, `Four larks ${mode}`, "Mute this thread");
    await choose(page, `Four larks ${mode}`, "Hear of this thread again");
  });
}

async function later({ page, js }, mode) {
  const inTwoDays = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 11);
  await step(`${mode}: a post waits for its time`, async () => {
    await page.goto("/compose");
    await page.locator("#text").fill(`Later, larks ${mode}`);
    await page.locator("summary", { hasText: "Later" }).click();
    await page.fill("#later", "2020-01-01T10:00");
    await page.locator("form.compose .send button").click();
    await page.getByText("more than 5 minutes ahead").waitFor();
    expect(await page.inputValue("#text"), `Later, larks ${mode}`, "what was typed");
    expect(await page.inputValue("#later"), "2020-01-01T10:00", "the time");
    await page.fill("#later", `${inTwoDays}10:00`);
    await page.locator("form.compose .send button").click();
    await page.getByText("Your post waits").waitFor();
    const waiting = page.locator(".version", { hasText: `Later, larks ${mode}` });
    // The browser's zone is not UTC: with scripts the time is meant in it.
    const at = await waiting.locator("time").getAttribute("datetime");
    expect(at.slice(11, 16), js ? "08:00" : "10:00", "the time in UTC");
    await waiting.locator("summary").click();
    expect(await waiting.getByLabel("Publish at").inputValue(), `${inTwoDays}10:00`, "the time in the field");
  });
  await step(`${mode}: it is moved and given up`, async () => {
    const waiting = page.locator(".version", { hasText: `Later, larks ${mode}` });
    await waiting.getByLabel("Publish at").fill("2020-01-01T10:00");
    await waiting.getByRole("button", { name: "Move" }).click();
    await page.getByText("more than 5 minutes ahead").waitFor();
    await waiting.getByLabel("Publish at").fill(`${inTwoDays}11:30`);
    await waiting.getByRole("button", { name: "Move" }).click();
    await page.getByText("waits for its new time").waitFor();
    expect((await waiting.locator("time").getAttribute("datetime")).slice(11, 16), js ? "09:30" : "11:30", "the new time");
    await waiting.locator("summary").click();
    await waiting.getByRole("button", { name: "Delete it" }).click();
    await page.getByText("Nothing is waiting").waitFor();
  });
}

async function lists({ page, js }, friend, mode) {
  await step(`${mode}: make a list, put somebody on it, read it`, async () => {
    await page.goto("/lists");
    await page.fill("#title", `Neighbours ${mode}`);
    await page.getByRole("button", { name: "Make it" }).click();
    await page.waitForURL(/\/lists\/\d+\/edit$/);
    await page.fill("#who", "nobody-of-that-name");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText("nobody of that name").waitFor();
    expect(await page.inputValue("#who"), "nobody-of-that-name", "what was typed");
    await page.fill("#who", friend.name);
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("button", { name: `Take ${friend.name} off` }).waitFor();
    await page.getByRole("link", { name: "Read it" }).click();
    await page.getByRole("heading", { name: `Neighbours ${mode}` }).waitFor();
    if (js) await page.locator("html[data-live=on]").waitFor();
    await write(friend.page, `Said to the list ${mode}`);
    if (js) await page.locator("[data-pill]").click();
    else await page.reload();
    await post(page, `Said to the list ${mode}`).waitFor();
  });
  await step(`${mode}: lists are changed from a profile`, async () => {
    await page.goto(`/@${friend.name}`);
    await choosePerson(page, friend.name, "Lists…");
    await page.getByRole("button", { name: `Remove from Neighbours ${mode}` }).click();
    await page.getByRole("button", { name: `Add to Neighbours ${mode}` }).click();
    await page.getByRole("button", { name: `Remove from Neighbours ${mode}` }).waitFor();
  });
  await step(`${mode}: rename and delete a list`, async () => {
    await page.goto("/lists");
    await page.getByRole("link", { name: `Change Neighbours ${mode}` }).click();
    await page.fill("#title", `Friends ${mode}`);
    await page.selectOption("#replies", "none");
    await page.getByLabel("Show their posts only here").check();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("The list is saved").waitFor();
    await page.goto("/lists");
    await page.getByText("not at home").waitFor();
    await page.getByRole("link", { name: `Change Friends ${mode}` }).click();
    await page.locator("summary", { hasText: "Delete this list" }).click();
    await page.getByRole("button", { name: "Delete the list" }).click();
    await page.getByText("The list is deleted").waitFor();
    expect(await page.getByText(`Friends ${mode}`).count(), 0, "lists left");
  });
}

async function filters({ page }, friend, mode) {
  await step(`${mode}: a filter covers posts with its words`, async () => {
    await page.goto("/settings/filters/new");
    await page.fill("#title", `Spiders ${mode}`);
    await page.getByLabel("Word 1", { exact: true }).fill("tarantula");
    for (const box of await page.locator('[name="contexts[]"]').all()) await box.uncheck();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("at least one place").waitFor();
    await page.getByLabel("Home and lists").check();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved.").waitFor();
    await write(friend.page, `A tarantula ${mode}`);
    await page.goto("/");
    const covered = page.locator(".post", { hasText: `Filtered: Spiders ${mode}` }).first();
    expect(await covered.getByText(`A tarantula ${mode}`).isVisible(), false, "text is covered");
    await covered.locator("details.warned > summary").click();
    expect(await covered.getByText(`A tarantula ${mode}`).isVisible(), true, "text is shown");
  });
  await step(`${mode}: a filter is changed and deleted`, async () => {
    await page.goto("/settings/filters");
    await page.getByRole("link", { name: `Spiders ${mode}` }).click();
    expect(await page.getByLabel("Word 1", { exact: true }).inputValue(), "tarantula", "its word");
    await page.getByLabel("Leave them out").check();
    await page.selectOption("#lasts", { label: "1 day" });
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("until").waitFor();
    await page.goto("/");
    expect(await page.locator(".post", { hasText: `A tarantula ${mode}` }).count(), 0, "posts left");
    await page.goto("/settings/filters");
    await page.getByRole("button", { name: `Delete Spiders ${mode}` }).click();
    await page.goto("/");
    await post(page, `A tarantula ${mode}`).waitFor();
  });
}

async function requests({ page, name }, stranger, mode) {
  await step(`${mode}: strangers wait to be heard, and are heard when asked in`, async () => {
    await page.goto("/settings/notifications");
    await page.selectOption("#not_following", "filter");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved.").waitFor();
    await write(stranger.page, `@${name} hello from outside ${mode}`);
    await page.goto("/notifications");
    expect(await page.getByText(`hello from outside ${mode}`).count(), 0, "mentions shown");
    await page.getByRole("link", { name: "1 person waits" }).click();
    await page.getByText(`hello from outside ${mode}`).waitFor();
    await page.getByRole("button", { name: `Hear ${stranger.name}` }).click();
    await page.getByText("You will hear them").waitFor();
    await page.goto("/notifications");
    await post(page, `hello from outside ${mode}`).waitFor();
  });
  await step(`${mode}: a locked account lets followers in one by one`, async () => {
    await page.goto("/settings/profile");
    await page.getByLabel("Approve followers by hand").check();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Your profile is saved").waitFor();
    await stranger.page.goto(`/@${name}`);
    await stranger.page.locator('main [data-act="follow"]').click();
    await stranger.page.getByText("Requested").waitFor();
    await page.goto("/follow-requests");
    await page.getByRole("button", { name: `Accept ${stranger.name}` }).click();
    await page.goto(`/@${stranger.name}`);
    await page.getByText("follows you").waitFor();
    await choosePerson(page, stranger.name, "Remove from followers");
    await page.getByText("do not follow you any more").waitFor();
  });
}

async function hidden({ page }, stranger, mode) {
  await step(`${mode}: mute somebody and hear them again`, async () => {
    await page.goto(`/@${stranger.name}`);
    await choosePerson(page, stranger.name, "Mute…");
    await page.selectOption("#lasts", { label: "1 day" });
    await page.getByRole("button", { name: "Mute", exact: true }).click();
    await page.getByText("they are not told").waitFor();
    await page.goto("/settings/muted");
    await page.locator(".person", { hasText: "until" }).waitFor();
    await page.getByRole("button", { name: `Unmute ${stranger.name}` }).click();
    await page.getByText("You mute nobody").waitFor();
  });
  await step(`${mode}: block somebody and let them be again`, async () => {
    await page.goto(`/@${stranger.name}`);
    await choosePerson(page, stranger.name, "Block");
    await page.getByText("You do not see each other").waitFor();
    await page.goto("/settings/blocked");
    await page.getByRole("button", { name: `Unblock ${stranger.name}` }).click();
    await page.getByText("You block nobody").waitFor();
  });
  await step(`${mode}: block a server and unblock it`, async () => {
    await page.goto("/settings/servers");
    await page.fill("#domain", "no server");
    await page.getByRole("button", { name: "Block", exact: true }).click();
    await page.getByRole("alert").waitFor();
    await page.fill("#domain", "Evil.example");
    await page.getByRole("button", { name: "Block", exact: true }).click();
    await page.getByText("nothing from that server").waitFor();
    await page.getByRole("button", { name: "Unblock evil.example" }).click();
    await page.getByRole("button", { name: "Unblock evil.example" }).waitFor({ state: "detached" });
  });
}

/** `who` follows `friend`; `stranger` is known to neither. */
export async function ordering(who, friend, stranger) {
  const mode = who.js ? "with scripts" : "without scripts";
  await ownPosts(who, mode);
  await later(who, mode);
  await lists(who, friend, mode);
  await filters(who, friend, mode);
  await requests(who, stranger, mode);
  await hidden(who, stranger, mode);
  await step(`${mode}: nothing went wrong while ordering`, async () => expect(who.troubles.join("\n"), "", "troubles"));
}

/** Something to see on the owner's pages; gives their addresses. */
export async function furnish({ page, context }, origin) {
  const send = async (address, form) => {
    const csrf = await page.locator('input[name="csrf"]').first().inputValue();
    const answer = await context.request.post(address, { form: { csrf, ...form }, headers: { origin }, maxRedirects: 0 });
    expect(answer.status(), 303, address);
    return answer.headers().location;
  };
  await page.goto("/@ana");
  const editList = await send("/lists", { title: "People who look out of the window", replies: "list", exclusive: "true" });
  const list = editList.replace("/edit", "");
  for (const who of ["wren", "ben"]) {
    await page.goto(`/@${who}`);
    await page.locator('main button[formaction$="/follow"]').click();
    await page.getByRole("button", { name: /Unfollow|Take back/ }).waitFor();
    if (who === "wren") await send(`${list}/add`, { who, back: editList });
  }
  const onLists = await page.locator('.profile .sheet a[href$="/lists"]').getAttribute("href");
  await send("/settings/filters", {
    title: "Spiders", "keywords[0][word]": "tarantula", "keywords[1][word]": "black widow", "contexts[]": "home", action: "warn", lasts: "86400",
  });
  await page.goto("/settings/filters");
  const filter = await page.locator(".list-rows a").first().getAttribute("href");
  await send("/settings/servers", { domain: "evil.example" });
  await send("/compose", { text: "Good morning, street!\nThe rowan is ripe.", visibility: "unlisted", later: new Date(Date.now() + 9e7).toISOString().slice(0, 16) });
  await page.goto("/@cleo");
  const mute = await page.locator('.profile .face a[href$="/mute"]').getAttribute("href");
  await send(mute, { lasts: "86400", notifications: "true", back: "/@cleo" });
  await page.goto("/@ana");
  const edit = await page.locator('.post [data-act="edit"]').first().getAttribute("href");
  await send(edit, { text: "Seen from the window, and written anew", language: "en" });
  const pin = edit.replace("/edit", "/pin");
  await send(pin, { back: "/@ana" });
  await page.goto("/@ana");
  const pinned = await page.locator(".pinned a.when").first().getAttribute("href");
  return [
    ["lists", "/lists"], ["list", list], ["list-edit", editList], ["person-lists", onLists], ["edit", edit], ["history", `${pinned}/history`], ["scheduled", "/scheduled"],
    ["requests", "/notifications/requests"], ["settings-notifications", "/settings/notifications"], ["settings-filters", "/settings/filters"],
    ["settings-filter", filter], ["settings-filter-new", "/settings/filters/new"], ["settings-muted", "/settings/muted"],
    ["settings-blocked", "/settings/blocked"], ["settings-servers", "/settings/servers"], ["profile-other", "/@wren"], ["mute", mute],
  ];
}
