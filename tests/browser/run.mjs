// What people do, done in Chromium with the real program: everything with
// scripts and everything again without, then every page looked at by axe and
// kept as a picture.
//
//   node run.mjs [PROGRAM] [FOLDER FOR PICTURES]
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { accessibilityFaults, expect, isTooWide, person, startBrowser, startServer, step, summary } from "./kit.mjs";
import { furnish, ordering } from "./ordering.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const [program = path.join(here, "../../target/debug/waxwing"), pictures = path.join(here, "../.cache/pictures")] = process.argv.slice(2);
const PASSWORD = "rowan berries in november";
const AVATAR = path.join(here, "../../assets/icon-512.png");
fs.mkdirSync(pictures, { recursive: true });

const server = await startServer(program, ["registration open", "rate_limit sign_up=100/1h"]);
const browser = await startBrowser();
const owner = await person(browser, server, "ana");

async function signUp(who) {
  const { page, name } = who;
  await page.goto("/signup");
  await page.fill("#username", name);
  await page.fill("#password", PASSWORD);
  await page.getByRole("button", { name: "Sign up" }).click();
  await page.waitForURL("/");
}

async function logIn(who, password = PASSWORD) {
  await who.page.goto("/login");
  await who.page.fill("#name", who.name);
  await who.page.fill("#password", password);
  await who.page.locator("main").getByRole("button", { name: "Log in" }).click();
}

async function write(page, text) {
  await page.locator("#text").fill(text);
  await page.locator("form.compose .send button").click();
}

const post = (page, text) => page.locator(".post", { hasText: text }).first();
const button = (page, text, act) => post(page, text).locator(`[data-act="${act}"]`);
const isOn = async (page, text, act) => (await button(page, text, act).getAttribute("aria-pressed")) === "true";

async function press(page, text, act, wanted) {
  await button(page, text, act).click();
  await post(page, text).locator(`[data-act="${act}"][aria-pressed="${wanted}"]`).waitFor();
}

async function hasPost(page, text) {
  await post(page, text).waitFor();
}

/** The owner's link makes one account, once. */
async function setUp() {
  const { page } = owner;
  await step("the owner's link makes the owner's account", async () => {
    await page.goto(server.ownerLink);
    await page.fill("#username", "a b");
    await page.fill("#password", PASSWORD);
    await page.getByRole("button", { name: "Make the owner" }).click();
    await page.getByText("Only the letters").waitFor();
    await page.fill("#username", "ana");
    await page.fill("#password", PASSWORD);
    await page.getByRole("button", { name: "Make the owner" }).click();
    await page.waitForURL("/");
    await page.getByRole("heading", { name: "Home" }).waitFor();
  });
  await step("the owner's link works once", async () => {
    expect((await page.goto(server.ownerLink)).status(), 404, "status");
  });
}

/** What a person does with a reading friend; the same with and without scripts. */
async function story(who, friend) {
  const { page, js } = who;
  const mode = js ? "with scripts" : "without scripts";
  const text = `Waxwings in the rowan, seen ${mode}`;
  const reply = `How many, ${mode}?`;

  await step(`${mode}: sign up`, async () => {
    await signUp(who);
    await page.getByRole("heading", { name: "Home" }).waitFor();
  });
  await step(`${mode}: a name that is taken is refused, and what was typed stays`, async () => {
    const other = await person(browser, server, who.name, { js });
    await other.page.goto("/signup");
    await other.page.fill("#username", who.name);
    await other.page.fill("#password", PASSWORD);
    await other.page.getByRole("button", { name: "Sign up" }).click();
    await other.page.getByText("This name is taken").waitFor();
    expect(await other.page.inputValue("#username"), who.name, "username");
    await other.context.close();
  });
  await step(`${mode}: write a post`, async () => {
    await page.goto("/");
    await write(page, `${text} #birds`);
    await hasPost(page, text);
  });
  await step(`${mode}: a post that is too long is refused and not lost`, async () => {
    if (js) {
      await page.locator("#text").fill("x".repeat(501));
      expect(await page.locator("[data-count]").evaluate((count) => count.firstChild.textContent), "-1", "characters left");
      expect(await page.locator("form.compose .send button").isDisabled(), true, "button is off");
      await page.locator("#text").fill("https://example.com/" + "x".repeat(600));
      expect(await page.locator("[data-count]").evaluate((count) => count.firstChild.textContent), "477", "a link counts 23");
      await page.locator("#text").fill("");
    } else {
      await write(page, "x".repeat(501));
      await page.getByText("limit of 500").waitFor();
      expect((await page.inputValue("#text")).length, 501, "characters kept");
      await page.goto("/");
    }
  });
  await step(`${mode}: like, boost, bookmark and take them back`, async () => {
    for (const act of ["like", "boost", "bookmark"]) {
      await press(page, text, act, true);
      await page.reload();
      expect(await isOn(page, text, act), true, `${act} after a reload`);
    }
    await page.goto("/bookmarks");
    await hasPost(page, text);
    await page.goto("/");
    for (const act of ["boost", "bookmark"]) await press(page, text, act, false);
  });
  await step(`${mode}: a content warning covers the text`, async () => {
    await page.goto("/compose");
    await page.locator("summary", { hasText: "Content warning" }).click();
    await page.fill("#spoiler", `Berries ${mode}`);
    await page.selectOption("#visibility", "unlisted");
    await write(page, `They were hawthorn ${mode}`);
    await page.goto(`/@${who.name}`);
    const warned = page.locator(".post", { hasText: `Berries ${mode}` }).first();
    expect(await warned.getByText(`They were hawthorn ${mode}`).isVisible(), false, "text is covered");
    await warned.locator("details.warned > summary").click();
    expect(await warned.getByText(`They were hawthorn ${mode}`).isVisible(), true, "text is shown");
  });
  await step(`${mode}: find somebody and follow them`, async () => {
    await page.goto(`/search?q=${friend.name}`);
    await page.locator("main .person").getByRole("link", { name: `@${friend.name}` }).click();
    await page.getByRole("button", { name: `Follow ${friend.name}` }).click();
    await page.getByRole("button", { name: `Unfollow ${friend.name}` }).waitFor();
    await page.goto(`/@${friend.name}/followers`);
    await page.locator("main").getByText(`@${who.name}`).waitFor();
  });
  await step(`${mode}: the friend is told, and answers`, async () => {
    await friend.page.goto("/notifications");
    await friend.page.getByText("follows you").first().waitFor();
    await friend.page.goto(`/@${who.name}`);
    await post(friend.page, text).locator("a.when").click();
    await friend.page.locator("#text").fill(`@${who.name} ${reply}`);
    await friend.page.locator("form.compose .send button").click();
    await hasPost(friend.page, reply);
  });
  await step(`${mode}: the answer is in the notifications, the thread and the timeline`, async () => {
    await page.goto("/notifications");
    await page.locator(".told.is-new", { hasText: "mentioned you" }).first().waitFor();
    await post(page, reply).locator("a.when").click();
    await hasPost(page, text);
    await hasPost(page, reply);
    await page.goto("/");
    await hasPost(page, reply);
  });
  await step(`${mode}: edit the profile, with a picture`, async () => {
    await page.goto("/settings/profile");
    await page.fill("#name", `${who.name} of the rowan`);
    await page.fill("#note", "Counts birds. #rowan");
    await page.locator('input[name="fields[0][name]"]').fill("Place");
    await page.locator('input[name="fields[0][value]"]').fill("By the window");
    await page.setInputFiles("#avatar", AVATAR);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Your profile is saved").waitFor();
    await page.goto(`/@${who.name}`);
    const avatar = page.locator(".profile .face .avatar");
    if (!/\/media\//.test(await avatar.getAttribute("src"))) throw new Error("the picture is not shown");
    if (js && !(await avatar.evaluate((image) => image.complete && image.naturalWidth > 0))) throw new Error("the picture does not load");
    await page.getByRole("heading", { name: `${who.name} of the rowan` }).waitFor();
    await page.getByText("By the window").waitFor();
    await page.locator(".said").getByRole("link", { name: "#rowan" }).waitFor();
  });
  await step(`${mode}: a file that is no picture is refused`, async () => {
    await page.goto("/settings/profile");
    await page.setInputFiles("#avatar", { name: "x.png", mimeType: "image/png", buffer: Buffer.from("<script>alert(1)</script>") });
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("alert").waitFor();
  });
  const stranger = await person(browser, server, `strange${who.name}`, { js });
  await signUp(stranger);
  await ordering(who, friend, stranger);
  await stranger.context.close();
  await step(`${mode}: delete a post after being asked`, async () => {
    await page.goto(`/@${who.name}`);
    await post(page, text).locator("details.menu > summary").click();
    await post(page, text).getByRole("link", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByText("The post is deleted").waitFor();
    expect(await page.locator(".post", { hasText: `${text} #birds` }).count(), 0, "posts left");
  });
  await step(`${mode}: choose dark and keep it`, async () => {
    await page.goto("/local");
    await page.locator(".side").getByRole("button", { name: "Dark" }).click();
    await page.waitForLoadState();
    expect(await page.locator("html").getAttribute("data-theme"), "dark", "theme");
    await page.goto("/about");
    expect(await page.locator("html").getAttribute("data-theme"), "dark", "theme elsewhere");
  });
  await step(`${mode}: log out, fail to log in, log in where one wanted to go`, async () => {
    await page.goto("/");
    await page.locator(".top details.menu > summary").click();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByText("You are logged out").waitFor();
    await logIn(who, "not the password");
    await page.getByText("is not right").waitFor();
    await page.goto("/bookmarks");
    await page.fill("#name", who.name);
    await page.fill("#password", PASSWORD);
    await page.locator("main").getByRole("button", { name: "Log in" }).click();
    await page.waitForURL("/bookmarks");
  });
  await step(`${mode}: change the password; other browsers are logged out`, async () => {
    const other = await person(browser, server, who.name, { js });
    await logIn(other);
    await other.page.waitForURL("/");
    await page.goto("/settings/security");
    expect(await page.locator(".list-rows > li").count(), 2, "sessions");
    await page.fill("#current", PASSWORD);
    await page.fill("#new", `${PASSWORD}!`);
    await page.getByRole("button", { name: "Change password" }).click();
    await page.getByText("Your password is changed").waitFor();
    await other.page.goto("/bookmarks");
    expect(new URL(other.page.url()).pathname, "/login", "where the other browser is");
    await other.context.close();
  });
  await step(`${mode}: nothing went wrong on the way`, async () => expect(who.troubles.join("\n"), "", "troubles"));
}

/** What only scripts can do. */
async function alive() {
  const writer = owner.page;
  const reader = await owner.open();
  await step("a new post waits behind a button in an open page", async () => {
    await reader.goto("/");
    await reader.locator("html[data-live=on]").waitFor();
    await writer.goto("/compose");
    await write(writer, "Written in the other window");
    const pill = reader.locator("[data-pill]");
    await pill.waitFor();
    expect(await pill.textContent(), "1 new post", "button");
    expect(await reader.locator(".post", { hasText: "Written in the other window" }).count(), 0, "posts before the click");
    await pill.click();
    await hasPost(reader, "Written in the other window");
    await press(reader, "Written in the other window", "like", true);
  });
  await step("a deleted post disappears from an open page", async () => {
    await writer.goto("/@ana");
    await post(writer, "Written in the other window").locator("details.menu > summary").click();
    await post(writer, "Written in the other window").getByRole("link", { name: "Delete" }).click();
    await writer.getByRole("button", { name: "Delete" }).click();
    await reader.locator(".post", { hasText: "Written in the other window" }).waitFor({ state: "detached" });
  });
  await step("a notification lights up an open page", async () => {
    await reader.goto("/local");
    await reader.locator("html[data-live=on]").waitFor();
    const friend = await person(browser, server, "wren", { js: false });
    await signUp(friend);
    await friend.page.goto("/@ana");
    await friend.page.getByRole("button", { name: "Follow ana" }).click();
    await reader.locator(".left [data-unread]:not([hidden])").waitFor();
    await friend.context.close();
  });
  await step("the keyboard walks through posts", async () => {
    await writer.goto("/");
    await write(writer, "First");
    await hasPost(writer, "First");
    await write(writer, "Second");
    await hasPost(writer, "Second");
    await writer.locator("body").press("j");
    await writer.locator(".post:focus", { hasText: "Second" }).waitFor();
    await writer.keyboard.press("j");
    await writer.locator(".post:focus", { hasText: "First" }).waitFor();
    await writer.keyboard.press("l");
    await writer.locator('.post [data-act="like"][aria-pressed="true"]').first().waitFor();
    await writer.keyboard.press("?");
    await writer.getByRole("heading", { name: "Keyboard" }).waitFor();
    await writer.keyboard.press("Escape");
    await writer.keyboard.press("n");
    expect(await writer.evaluate(() => document.activeElement.id), "text", "where the keyboard is");
  });
  await step("nothing went wrong on the owner's pages", async () => expect(owner.troubles.join("\n"), "", "troubles"));
}

/** Other sites and forged forms get nowhere. */
async function refusals() {
  await step("a form without its token is refused", async () => {
    const answer = await owner.context.request.post("/compose", {
      form: { text: "forged" },
      headers: { origin: server.origin },
      ignoreHTTPSErrors: true,
    });
    expect(answer.status(), 403, "status");
  });
  await step("a form from another site is refused", async () => {
    const answer = await owner.context.request.post("/theme", { form: { theme: "dark" }, headers: { origin: "https://evil.example" } });
    expect(answer.status(), 403, "status");
  });
  await step("logging in leads only to this server", async () => {
    const answer = await owner.context.request.get("/login?next=//evil.example/", { maxRedirects: 0 });
    expect(answer.headers().location, "/", "location");
  });
}

/** An app is let in; the code is shown. */
async function consent() {
  await step("an app asks, and gets its code", async () => {
    const answer = await owner.context.request.post("/api/v1/apps", {
      data: { client_name: "Rowan reader", redirect_uris: "urn:ietf:wg:oauth:2.0:oob", scopes: "read write" },
    });
    const app = await answer.json();
    const query = new URLSearchParams({ response_type: "code", client_id: app.client_id, redirect_uri: "urn:ietf:wg:oauth:2.0:oob", scope: "read write" });
    await owner.page.goto(`/oauth/authorize?${query}`);
    // A page behind another is drawn when its turn comes, which may be late.
    await owner.page.bringToFront();
    await look(owner.page, "authorize", 1280, "light");
    await owner.page.getByRole("button", { name: "Let it in" }).click();
    const code = await owner.page.locator("input.code").inputValue();
    if (code.length < 20) throw new Error(`a short code: ${code}`);
  });
}

/** Axe sees each width and each set of colours, but not every pair of them: it takes its time. */
async function look(page, name, width, theme) {
  await page.screenshot({ path: path.join(pictures, `${name}-${width}-${theme}.png`) });
  const faults = (width === 390) === (theme === "light") ? await accessibilityFaults(page) : [];
  if (faults.length) throw new Error(faults.join("\n"));
  if (await isTooWide(page)) throw new Error("the page is wider than the window");
}

const FOR_ALL = [["landing", "/"], ["local", "/local"], ["login", "/login"], ["signup", "/signup"], ["about", "/about"], ["profile-visitor", "/@ana"], ["missing", "/@nobody"]];
const FOR_MEMBERS = [
  ["home", "/"], ["compose", "/compose"], ["profile", "/@ana"], ["following", "/@ana/following"], ["followers", "/@ana/followers"],
  ["notifications", "/notifications"], ["search", "/search?q=wren"], ["bookmarks", "/bookmarks"], ["likes", "/favourites"], ["tag", "/tags/birds"],
  ["follow-requests", "/follow-requests"], ["settings-profile", "/settings/profile"], ["settings-security", "/settings/security"], ["settings-joining", "/settings/joining"], ["nodes", "/settings/nodes"],
];

/** Pages worth seeing in every width and colour; the others are seen in two of the four. */
const OFTEN_SEEN = ["landing", "login", "home", "compose", "profile", "notifications", "thread"];

async function lookAtEverything() {
  await owner.page.goto("/@ana");
  const thread = await owner.page.locator(".post a.when").first().getAttribute("href");
  const remove = await owner.page.locator('.post [data-act="delete"]').first().getAttribute("href");
  const member = [...FOR_MEMBERS, ["thread", thread], ["delete", remove], ...(await furnish(owner, server.origin))];
  const inOne = async ([width, dark], isWanted = () => true) => {
    const theme = dark ? "dark" : "light";
    const visitor = await person(browser, server, "visitor", { width, dark });
    const reader = await person(browser, server, "ana", { width, dark });
    await reader.context.addCookies(await owner.context.cookies());
    for (const [who, pages] of [[visitor, FOR_ALL], [reader, member]]) {
      for (const [name, address] of pages.filter(([name]) => isWanted(name))) {
        await step(`${name} at ${width} px, ${theme}`, async () => {
          await who.page.goto(address);
          await look(who.page, name, width, theme);
        });
      }
    }
    await step(`no page at ${width} px, ${theme} has errors`, async () => expect([...visitor.troubles, ...reader.troubles].join("\n"), "", "troubles"));
    await visitor.context.close();
    await reader.context.close();
  };
  const often = (name) => OFTEN_SEEN.includes(name);
  await Promise.all([inOne([390, false]), inOne([1280, true])]);
  await Promise.all([inOne([1280, false], often), inOne([390, true], often)]);
}

/** Asking for an account, and invitations. */
async function joining() {
  const careful = await startServer(program, ["registration approval"]);
  const boss = await person(browser, careful, "ana");
  const guest = await person(browser, careful, "lark", { js: false });
  await step("an account is asked for, granted, and used", async () => {
    await boss.page.goto(careful.ownerLink);
    await boss.page.fill("#username", "ana");
    await boss.page.fill("#password", PASSWORD);
    await boss.page.getByRole("button", { name: "Make the owner" }).click();
    await boss.page.waitForURL("/");
    await guest.page.goto("/signup");
    await guest.page.fill("#username", "lark");
    await guest.page.fill("#password", PASSWORD);
    await guest.page.fill("#reason", "I sing at dawn");
    await guest.page.getByRole("button", { name: "Ask" }).click();
    await guest.page.getByText("on its way").waitFor();
    await logIn(guest);
    await guest.page.getByText("still waiting").waitFor();
    await boss.page.goto("/settings/joining");
    await boss.page.getByText("I sing at dawn").waitFor();
    await boss.page.getByRole("button", { name: "Let lark in" }).click();
    await boss.page.getByText("They can log in now").waitFor();
    await logIn(guest);
    await guest.page.waitForURL("/");
  });
  await step("an invitation lets its holder in at once, and only so often", async () => {
    await boss.page.goto("/settings/joining");
    await boss.page.getByRole("button", { name: "Make a link" }).click();
    const link = await boss.page.locator(".list-rows code").first().textContent();
    const invited = await person(browser, careful, "robin", { js: false });
    await invited.page.goto(link);
    await invited.page.getByText("You are invited").waitFor();
    await invited.page.fill("#username", "robin");
    await invited.page.fill("#password", PASSWORD);
    await invited.page.getByRole("button", { name: "Sign up" }).click();
    await invited.page.waitForURL("/");
    const late = await person(browser, careful, "late", { js: false });
    await late.page.goto(link);
    expect(await late.page.getByText("You are invited").count(), 0, "invitations");
  });
  await step("pages for those who run the server do not exist for others", async () => {
    expect((await guest.page.goto("/settings/joining")).status(), 404, "status");
  });
  await careful.stop();
}

try {
  await setUp();
  await story(await person(browser, server, "ben"), owner);
  await story(await person(browser, server, "cleo", { js: false }), owner);
  await alive();
  await refusals();
  await consent();
  await lookAtEverything();
  await joining();
} finally {
  await browser.close();
  // Several nodes end badly if one of them got no fair share.
  await step("the server stops", () => server.stop());
}
if (!summary()) {
  console.log(server.output().split("\n").slice(-40).join("\n"));
  process.exit(1);
}
