// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import test from "node:test";

import type { Gpu, State, Vgpu } from "../src/bus/types";
import { outcome, subject } from "../src/model/events";
import { choices, defaults, device, fitting, notFitting, reasons } from "../src/model/fits";
import { bar, condition, gpuRows, how } from "../src/model/gpus";
import { computeSlices, isOn, slices, spec, wanted } from "../src/model/mig";
import { emptyForm, formProblem, poolRows, poolXml } from "../src/model/pools";
import { vgpuRows } from "../src/model/vgpus";

const A2 = "0000:41:00.0";
const gpu: Gpu = {
    address: A2, product: "0x25b6", interface: "mdev", vfs_total: 16, vfs_enabled: 16, vgpus: 1,
    profiles: [
        { gpu: A2, id: "nvidia-746", name: "NVIDIA A2-4Q", framebuffer_mib: 4096, capacity: 4, available: 3,
            needs_license: "vWS" },
        { gpu: A2, id: "nvidia-747", name: "NVIDIA A2-8Q", framebuffer_mib: 8192, capacity: 2, available: 0 },
    ],
};
const vgpu: Vgpu = { uuid: "u1", domain: "vm1", domain_uuid: "d1", gpu: A2, parent: "0000:41:00.4",
    profile: "NVIDIA A2-4Q", profile_id: "nvidia-746", state: "active" };
const state: State = {
    version: "1", libvirt_connected: true, gpus: [gpu],
    vgpus: [vgpu, { domain: "vm2", domain_uuid: "d2", index: 0, profile: "A2-4Q", state: "planned", uuid: "u2" },
        { uuid: "u3", gpu: A2, profile: "NVIDIA A2-4Q", state: "active" }],
    pools: [{ name: "default", state: "active", gpus: [A2], tenants: [], users: ["vm1"],
        profiles: [{ name: "NVIDIA A2-4Q", capacity: 4, allocated: 1, available: 3 },
            { name: "NVIDIA A2-8Q", capacity: 2, allocated: 0, available: 0 }] }],
};

test("how a GPU makes vGPUs", () => {
    assert.equal(how(gpu), "mdev");
    assert.equal(how({ ...gpu, mig: true }), "mig");
});

test("the condition of a GPU", () => {
    for (const [change, health, expected] of [
        [{}, "ok", ["ok", ""]],
        [{ cordoned: { reason: "fan" } }, "lost", ["cordoned", "fan"]],
        [{ passed_through: true }, "ok", ["passed-through", ""]],
        [{}, "replace", ["unhealthy", "replace"]],
        [{ profiles: [{ ...gpu.profiles![0], obstacle: "no IOMMU" }] }, "ok", ["obstacle", "no IOMMU"]],
    ] as const)
        assert.deepEqual(condition({ ...gpu, ...change } as Gpu, { gpu: A2, health }), expected);
});

test("the bar has what is there, not what is planned", () => {
    const used = bar(gpu, state.vgpus);
    assert.deepEqual(used.segments.map(one => [one.label, one.mib]), [["vm1", 4096], ["u3", 4096]]);
    assert.deepEqual([used.usedMib, used.totalMib], [8192, 16384]);
    assert.equal(bar(gpu, [], { gpu: A2, fb_mib: 15356 }).totalMib, 15356);
    assert.equal(bar({ ...gpu, profiles: [] }, []).totalMib, 0);
    assert.deepEqual([gpuRows(state, [])[0].vfsEnabled, gpuRows(state, [])[0].name], [16, "A2"]);
});

test("vGPUs with figures", () => {
    const rows = vgpuRows(state, [
        { mdev_uuid: "u1", framebuffer_mib: 4096, framebuffer_used_mib: 100, gpu_utilization: 0, license_state: "licensed" },
        { vm_uuid: "d2", gpu: A2, gpu_utilization: 50 }]);
    assert.deepEqual(rows.map(row => [row.domain, row.usedMib, row.utilization, row.destroyable]),
        [["vm1", 100, 0, false], ["vm2", undefined, undefined, false], ["", undefined, undefined, true]]);
});

test("pools", () => {
    assert.deepEqual(poolRows(state).map(row => [row.name, row.gpus, row.allocated, row.builtIn]), [["default", 1, 1, true]]);
    const form = { ...emptyForm, name: "design", description: "A & B", gpus: [A2], profiles: ["NVIDIA A2-4Q"],
        defaultProfile: "NVIDIA A2-4Q", policy: "pack" as const,
        tenants: [{ name: "acme", max: 4 }, { name: "" }] };
    assert.equal(poolXml(form), `<vgpupool>
  <name>design</name>
  <description>A &amp; B</description>
  <source>
    <gpu address='${A2}'/>
  </source>
  <profiles>
    <profile name='NVIDIA A2-4Q' default='yes'/>
  </profiles>
  <placement policy='pack'/>
  <tenants>
    <tenant name='acme' max='4'/>
  </tenants>
</vgpupool>
`);
    for (const [change, expected] of [
        [{}, null], [{ name: "" }, "no-name"], [{ name: "a/b" }, "bad-name"], [{ name: "default" }, "taken"],
        [{ gpus: [] }, "no-gpu"],
    ] as const)
        assert.equal(formProblem({ ...form, ...change, gpus: [...(change as { gpus?: string[] }).gpus ?? form.gpus] },
            ["default"]), expected);
});

test("what fits", () => {
    const all = choices(state);
    assert.deepEqual(fitting(all).map(one => [one.profile, one.free, one.license]), [["NVIDIA A2-4Q", 3, "vWS"]]);
    assert.deepEqual(notFitting(all).map(one => [one.profile, one.whyNot]), [["NVIDIA A2-8Q", "no-room"]]);
    const cordoned = choices({ ...state, gpus: [{ ...gpu, cordoned: { reason: "fan" } }] });
    assert.deepEqual(cordoned.map(one => [one.whyNot, one.detail]), [["cordoned", "fan"], ["cordoned", "fan"]]);
    const off = choices({ ...state, pools: [{ ...state.pools[0], state: "inactive" }] });
    assert.deepEqual(off.map(one => one.whyNot), ["pool-off", "pool-off"]);
    assert.deepEqual(device(all[0], defaults), { profile: "NVIDIA A2-4Q" });
    assert.deepEqual(device({ ...all[0], pool: "design" }, { ...defaults, count: 2, frameRateLimit: false, debugging: true }),
        { profile: "NVIDIA A2-4Q", pool: "design", count: 2, frame_rate_limit: "off", debugging: "on" });
});

test("reasons come once", () => {
    const candidate = { index: 0, gpu: A2, verdict: "no-room", reason: "full" };
    assert.deepEqual(reasons({ possible: false, plan: [], vgpus: [],
        candidates: [candidate, { ...candidate, index: 1 }, { gpu: "x", verdict: "fits" }] }),
    [{ gpu: A2, verdict: "no-room", reason: "full" }]);
});

test("MIG", () => {
    const instances = [{ gi: 2, profile: "1g.12gb", start: 4, size: 1, in_use: true },
        { gi: 1, profile: "3g.47gb", start: 0, size: 4 }, { mode: "on" }];
    assert.deepEqual(slices(instances).map(one => [one.start, one.size, one.profile, one.inUse]),
        [[0, 4, "3g.47gb", false], [4, 1, "1g.12gb", true], [5, 3, "", false]]);
    assert.deepEqual(slices([]), [{ start: 0, size: 8, profile: "", inUse: false }]);
    assert.deepEqual(wanted(instances), { "1g.12gb": 1, "3g.47gb": 1 });
    assert.equal(spec({ "1g.12gb": 4, "3g.47gb": 1, "2g.24gb": 0 }), "3g.47gb:1,1g.12gb:4");
    assert.equal(computeSlices({ "1g.12gb": 4, "3g.47gb": 1 }), 7);
    assert.equal(isOn([], [{ mode: "off" }]), false);
    assert.equal(isOn([], [{ mode: "on" }]), true);
});

test("events", () => {
    for (const [event, expected] of [
        [{ time: "", event: "vgpu-created" }, "ok"],
        [{ time: "", event: "start-refused" }, "refused"],
        [{ time: "", event: "create-failed" }, "failed"],
        [{ time: "", event: "pool-started", outcome: "failed" }, "failed"],
        [{ time: "", event: "gpu-fault" }, "failed"],
    ] as const)
        assert.equal(outcome(event), expected, event.event);
    assert.equal(subject({ time: "", event: "x", domain: "vm1", profile: "A2-4Q", gpu: A2, pool: "design" }),
        `vm1, A2-4Q, ${A2}`);
    assert.equal(subject({ time: "", event: "x", pool: "design" }), "design");
});
