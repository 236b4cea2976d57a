// SPDX-License-Identifier: LGPL-2.1-or-later
// The page on a host with real libvirt and QEMU, for scenario 36-page of the lab: a VM gets a vGPU, and has it while it
// runs.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import test, { after, afterEach, before } from "node:test";

import { findings, installPage, launch, PATIENCE, Session } from "./machine.mjs";

const { PAGE_PICTURES: pictures, PAGE_VM: vm } = process.env;
const virsh = (...args) => execFileSync("virsh", ["-q", ...args], { encoding: "utf8" });
let browser, session, page;

before(async () => {
    installPage();
    browser = await launch();
    session = new Session(browser);
    page = await session.open();
}, { timeout: 4 * PATIENCE });
after(async () => {
    await session?.close();
    await browser?.close();
});
afterEach(async context => {
    await page?.screenshot({ path: path.join(pictures, "page.png") });
    if (context.error)
        console.error(`# ${page?.url()}\n${await page?.locator("body").innerText()}`.slice(0, 4000).replace(/\n/g, "\n#   "));
});

const button = name => page.getByRole("button", { name, exact: true });
const vgpu = () => page.locator("#vgpus tr[data-row]").filter({ hasText: vm }).first();

test("the GPUs of the host", async () => {
    await page.locator("#gpus tr[data-row]").first().waitFor();
    const told = JSON.parse(execFileSync("virt-vgpu", ["gpu-list", "--json"], { encoding: "utf8" }));
    for (const { address } of told)
        await page.locator(`#gpus tr[data-row="${address}"]`).waitFor();
});

test("a VM gets a vGPU", async () => {
    await session.view(`give/${vm}`);
    await page.getByLabel(/GRID M10-2Q, 2 GiB/).check();
    await page.locator("#give .vgpu-plan").filter({ hasText: "GRID M10-2Q on" }).waitFor();
    await button("Give it").click();
    await page.locator("#dialog-action").filter({ hasText: "Give" }).click();
    await button("Take its vGPUs away").waitFor();
    assert.match(virsh("dumpxml", "--inactive", vm), /profile=["']GRID M10-2Q["']/);
});

test("it is there while the VM runs", async () => {
    await session.view("vgpus");
    await vgpu().filter({ hasText: "Planned" }).waitFor();
    virsh("start", vm);
    await vgpu().filter({ hasText: "Active" }).waitFor();
    assert.deepEqual(await findings(page), []);
    virsh("destroy", vm);
    await vgpu().filter({ hasText: "Planned" }).waitFor();
});

test("it is taken away", async () => {
    await session.view(`give/${vm}`);
    await button("Take its vGPUs away").click();
    await page.locator("#dialog-action").filter({ hasText: "Take away" }).click();
    await button("Take its vGPUs away").waitFor({ state: "detached" });
    assert.doesNotMatch(virsh("dumpxml", "--inactive", vm), /vgpu:device/);
    assert.deepEqual(session.errors, []);
    assert.ok(fs.existsSync(path.join(pictures, "page.png")));
});
