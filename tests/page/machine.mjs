// SPDX-License-Identifier: LGPL-2.1-or-later
// The parts of a test: the host with its daemon, Cockpit and Chromium from a root of their own, and a page in them.
import { spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import { createRequire } from "node:module";
import path from "node:path";
import readline from "node:readline";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
export const top = path.resolve(here, "../..");
const require = createRequire(path.join(top, "cockpit/"));
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const { PAGE_ROOT: root, PAGE_WORK: work, PAGE_BUILD: build } = process.env;
// Whether the page shows this machine, and not a made tree.
const real = process.env.PAGE_BUS === "system";
const NOBODY = "65534";
export const PATIENCE = Number(process.env.PAGE_PATIENCE ?? 15000);

// inRoot UID, PROGRAM: a shell script that runs it there with its arguments; /tmp, /dev and the bus are this machine's.
function inRoot(name, uid, program, variables) {
    const script = path.join(work, name);
    const user = uid ? `setpriv --reuid=${uid} --regid=${uid} --clear-groups` : "";
    fs.writeFileSync(script, `#!/bin/sh
exec unshare -m sh -c '
for directory in dev tmp ${real ? "run" : ""}; do mount --rbind /$directory ${root}/$directory || exit; done
mount -t proc proc ${root}/proc || exit
exec chroot ${root} ${user} env -i ${variables} ${program} "$@"' sh "$@"
`, { mode: 0o755 });
    return script;
}

const variables = home => `PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=${home} TMPDIR=${work} ` +
    `XDG_DATA_HOME=${work}/data XDG_RUNTIME_DIR=${home} ${real ? "" : `DBUS_SESSION_BUS_ADDRESS=unix:path=${work}/bus`}`;

// The page as it is installed, but on the bus of the test.
export function installPage() {
    const to = path.join(work, "data/cockpit/virt-vgpu");
    fs.cpSync(path.join(top, "cockpit/dist"), to, { recursive: true });
    const index = path.join(to, "index.html");
    if (!real)
        fs.writeFileSync(index, fs.readFileSync(index, "utf8").replace('content="system"', 'content="session"'));
}

export class Host {
    async start() {
        installPage();
        this.shell = spawn("sh", [path.join(here, "host.sh")], {
            env: { ...process.env, builddir: build, top_srcdir: top },
            stdio: ["pipe", "pipe", "inherit"],
        });
        this.lines = readline.createInterface({ input: this.shell.stdout })[Symbol.asyncIterator]();
        await this.answer("host.sh");
    }

    async answer(command) {
        for (;;) {
            const { value, done } = await this.lines.next();
            if (done)
                throw new Error(`${command}: the host has ended`);
            if (value.startsWith("= ")) {
                if (value !== "= 0")
                    throw new Error(`${command}: ${value}\n${fs.readFileSync(path.join(work, "commands"), "utf8").slice(-2000)}`);
                return;
            }
        }
    }

    // run COMMAND: of tests/functions.sh or of host.sh
    async run(command) {
        this.shell.stdin.write(`${command}\n`);
        await this.answer(command);
    }

    async end() {
        this.shell.stdin.end();
        await new Promise(resolve => this.shell.once("exit", resolve));
    }
}

async function freePort() {
    const server = net.createServer().listen(0, "127.0.0.1");
    await new Promise(resolve => server.once("listening", resolve));
    const { port } = server.address();
    await new Promise(resolve => server.close(resolve));
    return port;
}

async function answers(port) {
    const end = Date.now() + PATIENCE;
    while (Date.now() < end) {
        const open = await new Promise(resolve => {
            const socket = net.connect(port, "127.0.0.1", () => { socket.destroy(); resolve(true); });
            socket.once("error", () => setTimeout(() => resolve(false), 20));
        });
        if (open)
            return;
    }
    throw new Error("cockpit-ws does not answer");
}

let count = 0;

// A session of a user: cockpit-ws of its own, since its local session ends with its last browser.
export class Session {
    constructor(browser, uid = "") {
        this.browser = browser;
        this.uid = uid;
    }

    async open(place = "gpus", { language = "en-us", viewport = { width: 1280, height: 900 } } = {}) {
        const name = `ws-${++count}`;
        const home = path.join(work, `home-${count}`);
        this.port = await freePort();
        fs.mkdirSync(home, { mode: 0o700 });
        if (this.uid)
            fs.chownSync(home, Number(this.uid), Number(this.uid));
        const log = fs.openSync(path.join(work, `${name}.log`), "w");
        this.ws = spawn(inRoot(name, this.uid, "/usr/lib/cockpit/cockpit-ws", variables(home)),
            ["--no-tls", "-a", "127.0.0.1", "-p", String(this.port), "--local-session=cockpit-bridge"],
            { stdio: ["ignore", log, log], detached: true });
        await answers(this.port);
        this.context = await this.browser.newContext({ viewport, locale: language.slice(0, 2) });
        this.context.setDefaultTimeout(PATIENCE);
        this.origin = `http://127.0.0.1:${this.port}`;
        await this.context.addCookies([{ name: "CockpitLang", value: language, url: this.origin }]);
        this.page = await this.context.newPage();
        this.errors = [];
        this.page.on("pageerror", error => this.errors.push(String(error)));
        await this.page.goto(`${this.origin}/cockpit/@localhost/virt-vgpu/index.html#/${place}`);
        return this.page;
    }

    // view NAME: another view of the same page
    async view(place) {
        await this.page.evaluate(hash => { window.location.hash = hash; }, `#/${place}`);
    }

    async close() {
        await this.context?.close();
        if (this.ws?.exitCode === null) {
            const gone = new Promise(resolve => this.ws.once("exit", resolve));
            process.kill(-this.ws.pid);
            await gone;
        }
    }
}

export async function launch() {
    const home = path.join(work, "home-chromium");
    fs.mkdirSync(home);
    return chromium.launch({
        executablePath: inRoot("chromium", "", "/usr/bin/chromium", variables(home)),
        args: ["--no-sandbox", "--force-color-profile=srgb"],
    });
}

// What axe-core finds in the page, a line each.
export async function findings(page) {
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run());
    return violations.map(one => `${one.id}: ${one.help}: ${one.nodes.map(node => node.html).slice(0, 3).join(" ")}`);
}

export const ordinary = NOBODY;
