// What of masto.js is called: its methods as its type declarations list them,
// and a client that notes which ones were used.
//
// Run by itself it prints the methods, one a line.
import { appendFileSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(new URL("../../../examples/javascript/", import.meta.url));
const declared = join(dirname(require.resolve("masto")), "mastodon/rest");

/** The interfaces of a folder, by name: from each member to its type. */
function interfaces(folder) {
  const found = new Map();
  for (const file of readdirSync(folder).filter((file) => file.endsWith(".d.ts"))) {
    const text = readFileSync(join(folder, file), "utf8");
    for (const [, name, bases = "", body] of text.matchAll(
      /^export interface (\S+Resource|Client)(?: extends ([^{]+))? \{\n(.*?)^\}/gms,
    )) {
      const members = [...body.matchAll(/^    (?:readonly )?(\$?\w+)(?:\([^)]*\))?: ([\w$.]+)/gm)];
      found.set(name, { bases: bases.split(",").map((base) => base.trim()).filter(Boolean), members });
    }
  }
  return found;
}

const folders = {
  v1: interfaces(join(declared, "v1")),
  v2: interfaces(join(declared, "v2")),
  admin: interfaces(join(declared, "v1/admin")),
  push: interfaces(join(declared, "v1/push")),
};

function* walk(folder, name, path) {
  const from = [folder, "v1"].find((one) => folders[one].has(name));
  if (!from) throw new Error(`no interface ${name} for ${path}`);
  const { bases, members } = folders[from].get(name);
  for (const base of bases) yield* walk(folder, base, path);
  for (const [, member, type] of members) {
    const here = `${path}.${member}`;
    if (type === "Method") yield here;
    else yield* walk(folders[member] && path === "v1" ? member : folder, type, here);
  }
}

/** Every method, such as `v1.lists.$select.accounts.create`. */
export function methods() {
  const text = readFileSync(join(declared, "client.d.ts"), "utf8");
  const roots = [...text.matchAll(/^    (\w+): (v[12])\.(\w+);/gm)];
  const of = ([, member, version, type]) => {
    const folder = folders[member] ? member : version;
    return [...walk(folder, type, `${version}.${member}`)];
  };
  return [...new Set(roots.flatMap(of))].sort();
}

const called = new Set();
const file = process.env.WAXWING_CALLED;
if (file) process.on("exit", () => appendFileSync(file, [...called, ""].join("\n")));

/** A client that notes what is called of it. */
export function noted(client, path = []) {
  const whole = path.join(".");
  // What a promise or a log looks for is no part of the path.
  const onward = (target, key) =>
    typeof key === "string" && !["then", "catch", "toJSON"].includes(key)
      ? noted(target[key], [...path, key])
      : Reflect.get(target, key);
  return new Proxy(client, {
    get: onward,
    apply(target, _, given) {
      if (path.at(-1) === "$select") return noted(target(...given), path);
      called.add(whole);
      return target(...given);
    },
  });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(methods().join("\n"));
}
