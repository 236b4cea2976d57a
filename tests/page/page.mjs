// SPDX-License-Identifier: LGPL-2.1-or-later
// What a user sees and does in the page. Each test waits for what it expects to see. One browser shows one host to
// an administrator, and at the end to an ordinary user.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import test, { after, afterEach, before } from "node:test";

import { findings, Host, launch, ordinary, Session, top } from "./machine.mjs";

const A2 = "0000:41:00.0";
const M10 = "0000:84:00.0";
const pictures = process.env.PAGE_PICTURES ?? "";
const host = new Host();
let browser, session, page;

before(async () => {
    await host.start();
    browser = await launch();
});
after(async () => {
    await session?.close();
    await browser?.close();
    await host.end();
});
// What was to be seen when it was not.
afterEach(async context => {
    if (context.error || process.env.PAGE_DEBUG)
        console.error(`# ${page?.url()}\n${await page?.locator("body").innerText()}`.slice(0, 4000).replace(/\n/g, "\n#   "));
});

const row = (table, key) => page.locator(`#${table} tr[data-row="${key}"]`);
const button = name => page.getByRole("button", { name, exact: true });

// sees LOCATOR, TEXT: until it has that text
async function sees(locator, text) {
    await locator.filter({ hasText: text }).first().waitFor();
}

// act NAME, TEXT: opens a dialog, and does what it is for; done: it closes
async function confirm(name) {
    await page.locator("#dialog-action").filter({ hasText: name }).click();
    await page.locator("#dialog").waitFor({ state: "detached" });
}

// refused NAME, TEXT: the dialog says why, and is closed without having done anything
async function refused(name, text) {
    await page.locator("#dialog-action").filter({ hasText: name }).click();
    await sees(page.locator("#dialog-problem"), text);
    await button("Cancel").click();
    await page.locator("#dialog").waitFor({ state: "detached" });
}

async function accessible(what) {
    assert.deepEqual(await findings(page), [], what);
}

async function picture(name) {
    if (pictures)
        await page.screenshot({ path: path.join(pictures, `cockpit-${name}.png`) });
}

test("the daemon is away, then there", async () => {
    session = new Session(browser);
    page = await session.open();
    await page.locator("#away").waitFor();
    await accessible("away");
    await host.run("serve");
    await row("gpus", A2).waitFor();
});

test("a host without vGPUs", async () => {
    await sees(row("gpus", A2), "0 MiB of 16 GiB");
    await session.view("events");
    await sees(page.locator("#events"), "Nothing has happened since this page was opened");
    await accessible("no events");
});

test("a vGPU appears while one looks, and goes", async () => {
    await session.view("vgpus");
    await sees(row("vgpus", await uuidOf("vm1")), "Planned");
    await host.run("prepare 1");
    await sees(row("vgpus", await uuidOf("vm1")), "Active");
    await host.run("prepare 2");
    await sees(row("vgpus", await uuidOf("vm2")), "0000:41:00.5");
    await host.run("release 2");
    await sees(row("vgpus", await uuidOf("vm2")), "Planned");
    await host.run("prepare 2");
    await sees(row("vgpus", await uuidOf("vm2")), "Active");
});

// Of a domain's first vGPU, as the table has it.
async function uuidOf(domain) {
    const found = page.locator("#vgpus tr[data-row]").filter({ hasText: domain }).first();
    await found.waitFor();
    return found.getAttribute("data-row");
}

test("figures of a vGPU", async () => {
    const vm1 = row("vgpus", await uuidOf("vm1"));
    await sees(vm1, "1.2 GiB of 4 GiB");
    await sees(vm1, "37 %");
    await sees(vm1, "licensed");
    await accessible("vGPUs");
    await picture("vgpus");
});

test("a VM has to be restarted", async () => {
    await row("vgpus", await uuidOf("vm3")).getByRole("button", { name: "Restart needed" }).click();
    await sees(page.locator("#dialog"), "virsh shutdown vm3; virsh start vm3");
    await accessible("restart");
    await page.keyboard.press("Escape");
    await page.locator("#dialog").waitFor({ state: "detached" });
});

test("GPUs", async () => {
    await session.view("gpus");
    await sees(row("gpus", A2), "8 GiB of 16 GiB");
    await sees(row("gpus", A2), "16/16");
    await sees(page.locator("#doctor"), "libvirt's view");
    await accessible("GPUs");
    await picture("gpus");
});

test("a GPU", async () => {
    await button("A2").click();
    await sees(page.locator("#overview"), "41 °C");
    await sees(page.locator("#use"), "vm1: NVIDIA A2-4Q, 4 GiB, Active");
    await sees(row("profiles", "nvidia-746"), "NVIDIA RTX Virtual Workstation");
    await sees(page.locator("#mig"), "2g.10gb");
    await sees(page.locator("#scheduler"), "best-effort");
    await accessible("a GPU");
    await picture("gpu");
});

test("the list is searched and sorted", async () => {
    await session.view("vgpus");
    await page.getByRole("textbox", { name: "Search" }).fill("vm4");
    await row("vgpus", await uuidOf("vm4")).waitFor();
    assert.equal(await page.locator("#vgpus tbody tr").count(), 1);
    await page.getByRole("textbox", { name: "Search" }).fill("nothing of this name");
    await sees(page.locator("#vgpus"), "Nothing matches the search");
    await page.getByRole("textbox", { name: "Search" }).fill("");
    await page.locator("#vgpus thead").getByRole("button", { name: "VM" }).click();
    await sees(page.locator("#vgpus tbody tr").nth(0), "vm5");
});

test("keys alone lead to a GPU", async () => {
    await session.view("gpus");
    await row("gpus", A2).waitFor();
    await page.getByRole("link", { name: "GPUs", exact: true }).focus();
    for (let n = 0; n < 40 && !(await page.evaluate(() => document.activeElement.textContent === "A2")); n++)
        await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.locator("#overview").waitFor();
});

// --- actions ---------------------------------------------------------------------------------------

test("a VM gets a vGPU", async () => {
    await session.view("give/vm6");
    await sees(page.locator("#give .vgpu-plan"), "A start would do this now");
    await page.getByLabel(/A2-4Q, 4 GiB/).check();
    await sees(page.locator("#give .vgpu-plan"), "NVIDIA A2-4Q on 0000:41:00");
    await page.locator("#options-toggle").click();
    await page.getByLabel("Frame rate limit").uncheck();
    await accessible("giving");
    await picture("give");
    await button("Give it").click();
    await sees(page.locator("#dialog"), "A start would do this now");
    await confirm("Give");
    await button("Take its vGPUs away").waitFor();
    await session.view("vgpus");
    await sees(row("vgpus", await uuidOf("vm6")), "Planned");
});

test("why a profile does not fit", async () => {
    await session.view("give/vm6");
    await page.locator("#why-not-toggle").click();
    await page.getByRole("button", { name: "Why not? NVIDIA A2-1Q" }).click();
    await sees(page.locator("#why-not"), `${A2} is used with another size`);
    await accessible("why not");
});

test("a VM's vGPUs are taken away", async () => {
    await button("Take its vGPUs away").click();
    await accessible("taking away");
    await confirm("Take away");
    await button("Take its vGPUs away").waitFor({ state: "detached" });
    await session.view("vgpus");
    await row("vgpus", "none").waitFor({ state: "detached" });
    await page.locator("#vgpus tr[data-row]").filter({ hasText: "vm6" }).waitFor({ state: "detached" });
});

test("a vGPU is created, and destroyed", async () => {
    await session.view("vgpus");
    await button("Create a vGPU").click();
    await page.locator("#gpu").selectOption(M10);
    await page.locator("#profile").selectOption("GRID M10-1Q");
    await accessible("creating");
    await confirm("Create");
    const made = page.locator("#vgpus tr[data-row]").filter({ hasText: "GRID M10-1Q" });
    await made.getByRole("button", { name: /^Destroy/ }).click();
    await accessible("destroying");
    await confirm("Destroy");
    await made.waitFor({ state: "detached" });
});

test("a vGPU that cannot be made says why", async () => {
    await host.run("knob create_fail_next 1000");
    await button("Create a vGPU").click();
    await page.locator("#gpu").selectOption(M10);
    await refused("Create", M10);
    await host.run("unknob create_fail_next");
});

test("a GPU is cordoned, and uncordoned", async () => {
    await session.view(`gpus/${M10}`);
    await button("Cordon").click();
    await page.locator("#reason").fill("the fan is loud");
    await accessible("cordoning");
    await confirm("Cordon");
    await sees(page.locator("#overview"), "the fan is loud");
    await session.view("gpus");
    await sees(row("gpus", M10), "Cordoned");
    await session.view(`gpus/${M10}`);
    await button("Uncordon").click();
    await confirm("Uncordon");
    await sees(page.locator("#overview"), "Ready");
});

test("virtual functions of a GPU in use stay", async () => {
    await session.view(`gpus/${A2}`);
    await button("Virtual functions").click();
    await accessible("virtual functions");
    await refused("Turn off", "vm1");
});

test("the layout of GPU instances", async () => {
    await button("Change the layout").click();
    await button("More 1g.5gb").click();
    await sees(page.locator("#mig-sum"), "3 of 7 slices of compute");
    await accessible("GPU instances");
    await refused("Apply", /vm1|reset required/);
});

test("the scheduler of a GPU in use stays", async () => {
    await button("Change the scheduler").click();
    await page.locator("#policy").selectOption("equal-share");
    await accessible("scheduler");
    await refused("Change", "vm1");
});

test("what is refused while a GPU is in use is done afterwards", async () => {
    await host.run("release 1 && release 2 && until_true nothing_left");
    await sees(page.locator("#use"), "There is no vGPU on it.");
    await button("Change the scheduler").click();
    await page.locator("#policy").selectOption("equal-share");
    await confirm("Change");
    await sees(page.locator("#scheduler"), "equal-share");
    await button("Virtual functions").click();
    await refused("Turn off", "a process has it open");
    await host.run("prepare 1 && prepare 2");
    await sees(page.locator("#use"), "vm1");
});

test("a pool is defined by the form", async () => {
    await session.view("pools");
    await sees(row("pools", "default"), "GPUs that no other pool has");
    await accessible("pools");
    await button("Define a pool").click();
    await sees(page.locator("#dialog"), "A pool needs a name.");
    await page.locator("#pool-name").fill("design");
    await page.getByLabel(`M10, ${M10}`).check();
    await page.getByLabel("GRID M10-2Q").check();
    await button("Add a tenant").click();
    await page.getByRole("textbox", { name: "Tenant" }).fill("acme");
    await page.getByRole("spinbutton", { name: "vGPUs at most" }).fill("2");
    const xml = await page.locator("#xml").inputValue();
    assert.match(xml, /<tenant name='acme' max='2'\/>/);
    await accessible("the form of a pool");
    await picture("pool");
    await confirm("Define");
    await sees(row("pools", "design"), "Inactive");
});

test("a pool is started, changed, stopped and undefined", async () => {
    await button("design").click();
    await sees(page.locator("#shares"), "acme");
    await accessible("a pool");
    await button("Start").click();
    await confirm("Start");
    await sees(page.locator("#pool"), "Active");
    await sees(page.locator("#room"), "4");
    await page.locator("#autostart").click({ force: true });
    await confirm("Turn on");
    await button("Refresh").click();
    await confirm("Refresh");
    await button("Edit the XML").click();
    await page.locator("#xml").fill((await page.locator("#xml").inputValue()).replace("acme", "other"));
    await confirm("Save");
    await sees(page.locator("#shares"), "other");
    await button("Edit the XML").click();
    await page.locator("#xml").fill("<vgpupool/>");
    await refused("Save", "name");
    await button("Stop").click();
    await confirm("Stop");
    await sees(page.locator("#pool"), "Inactive");
    await button("Undefine").click();
    await confirm("Undefine");
    await session.view("pools");
    await row("pools", "design").waitFor({ state: "detached" });
});

test("events", async () => {
    await session.view("events");
    await sees(page.locator("#events tbody tr"), "pool-undefined");
    await sees(page.locator("#events"), "create-refused");
    await accessible("events");
});

test("the daemon is restarted", async () => {
    await session.view("gpus");
    await host.run("down");
    await page.locator("#away").waitFor();
    await host.run("serve");
    await row("gpus", A2).waitFor();
    await sees(row("gpus", A2), "8 GiB of 16 GiB");
});

test("nothing has failed in the page", async () => {
    assert.deepEqual(session.errors, []);
    await session.close();
});

// --- others ----------------------------------------------------------------------------------------

test("an ordinary user sees all, and is refused what is not a query", async () => {
    session = new Session(browser, ordinary);
    page = await session.open("vgpus");
    await sees(row("vgpus", await uuidOf("vm1")), "Active");
    await button("Create a vGPU").click();
    await refused("Create", "for administrators");
    await session.view(`gpus/${A2}`);
    await button("Cordon").click();
    await refused("Cordon", "for administrators");
    await session.view("pools/default");
    await sees(page.locator("#room"), "NVIDIA A2-4Q");
    await session.view("give");
    await sees(page.locator("#give, main"), "for administrators");
    await accessible("an ordinary user");
    await session.close();
});

test("in German, on a phone", async () => {
    session = new Session(browser);
    page = await session.open("gpus", { language: "de-de", viewport: { width: 390, height: 800 } });
    await sees(row("gpus", A2), "Bereit");
    for (const [view, ready] of [["gpus", "#doctor"], [`gpus/${A2}`, "#profiles"], ["vgpus", "#vgpus"], ["pools", "#pools"],
        ["give", "#give"], ["events", "#events"]]) {
        await session.view(view);
        await page.locator(ready).waitFor();
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), `${view} is too wide`);
        await accessible(`${view} on a phone`);
    }
    await session.close();
});

test("a thousand vGPUs", async () => {
    await host.run("release 1 && release 2 && until_true nothing_left && down && many && serve");
    session = new Session(browser);
    page = await session.open("vgpus");
    await sees(page.locator("#vgpus-pages-top-pagination, #vgpus .pf-v6-c-pagination").first(), "1000");
    assert.equal(await page.locator("#vgpus tbody tr").count(), 50);
    await page.getByRole("textbox", { name: "Search" }).fill("vm1099");
    await row("vgpus", await uuidOf("vm1099")).waitFor();
    assert.equal(await page.locator("#vgpus tbody tr").count(), 1);
});

test("pictures of a page that the documentation shows", { skip: !pictures }, () => {
    const shown = fs.readFileSync(path.join(top, "docs/cockpit.md"), "utf8").match(/cockpit-[a-z]+\.png/g);
    for (const name of shown)
        assert.ok(fs.existsSync(path.join(pictures, name)), name);
});
