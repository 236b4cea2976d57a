// SPDX-License-Identifier: LGPL-2.1-or-later
// The calls of org.virtvgpu.Manager1, with the rights of the user of the page. Nothing else calls it.
import type {
    Check, Device, Domain, Explanation, GpuStats, MigInstance, MigProfile, Pool, Scheduler, State, VgpuStats,
} from "./types";
import { dictionary, plain } from "./variant";

const NAME = "org.virtvgpu.Manager1";
const PATH = "/org/virtvgpu/Manager1";

// A user may be asked for a password meanwhile.
const PATIENT = { flags: "i", timeout: 600000 } as const;

export function busOfPage(): string {
    return document.querySelector<HTMLMetaElement>('meta[name="virt-vgpu-bus"]')?.content ?? "system";
}

// follow CALLBACK: calls it with the owner of the daemon's name now and whenever it changes; "": none. The message bus
// is asked, because a client of the name itself would start the daemon.
export function followOwner(callback: (owner: string) => void, failed: (problem: string) => void): () => void {
    const bus = cockpit.dbus("org.freedesktop.DBus", { bus: busOfPage() });
    const match = { interface: "org.freedesktop.DBus", member: "NameOwnerChanged", arg0: NAME };
    bus.subscribe(match, (_path, _iface, _signal, args) => callback(String(args[2])));
    bus.addEventListener("close", (_event, options) => failed(options.problem ?? "disconnected"));
    bus.call("/org/freedesktop/DBus", "org.freedesktop.DBus", "GetNameOwner", [NAME])
        .then(([owner]) => callback(String(owner)), () => callback(""));
    return () => bus.close();
}

export class Manager {
    private readonly client = cockpit.dbus(NAME, { bus: busOfPage(), superuser: "try" });

    private async call<T>(method: string, args: unknown[] = [], change = false): Promise<T> {
        const reply = await this.client.call(PATH, NAME, method, args, change ? PATIENT : {});
        return plain(reply[0]) as T;
    }

    close() {
        this.client.close();
    }

    onEvent(callback: (event: unknown) => void) {
        this.client.subscribe({ interface: NAME, member: "Event" }, (_path, _iface, _signal, args) =>
            callback(plain(args[0])));
    }

    // what changes without an event: objects that come, go or change
    onObjects(callback: () => void) {
        for (const member of ["InterfacesAdded", "InterfacesRemoved"])
            this.client.subscribe({ interface: "org.freedesktop.DBus.ObjectManager", member }, callback);
        this.client.subscribe(
            { path_namespace: "/org/virtvgpu", interface: "org.freedesktop.DBus.Properties", member: "PropertiesChanged" },
            callback);
    }

    state = () => this.call<State>("GetState");
    stats = () => this.call<VgpuStats[]>("GetStats");
    gpuStats = () => this.call<GpuStats[]>("GetGpuStats");
    doctor = () => this.call<Check[]>("Doctor");
    domains = () => this.call<Domain[]>("ListDomains");
    mig = (address: string) => this.call<MigInstance[]>("ListMig", [address]);
    migProfiles = (address: string) => this.call<MigProfile[]>("ListMigProfiles", [address]);
    scheduler = (address: string) => this.call<Scheduler>("GetScheduler", [address]);
    poolXml = (name: string) => this.call<string>("GetPoolXml", [name, true]);
    explain = (domain: string, devices: Device[], options: object) =>
        this.call<Explanation>("ExplainDevices", [domain, devices.map(dictionary), dictionary(options)]);

    createVgpu = (gpu: string, profile: string, options: { uuid?: string; persistent?: boolean }) =>
        this.call("CreateVgpu", [gpu, profile, dictionary(options)], true);
    destroyVgpu = (uuid: string) => this.call("DestroyVgpu", [uuid], true);
    setAnnotation = (domain: string, devices: Device[], options: object) =>
        this.call<string[]>("SetAnnotation", [domain, devices.map(dictionary), dictionary(options)], true);
    clearAnnotation = (domain: string) => this.call<string[]>("ClearAnnotation", [domain, {}], true);
    attach = (domain: string, device: Device, options: { live: boolean; config: boolean }) =>
        this.call("Attach", [domain, dictionary(device), dictionary(options)], true);

    enableGpu = (address: string, options: { vfs?: number; persistent: boolean }) =>
        this.call("EnableGpu", [address, dictionary(options)], true);
    disableGpu = (address: string, options: { persistent: boolean }) =>
        this.call("DisableGpu", [address, dictionary(options)], true);
    cordonGpu = (address: string, reason: string) => this.call("CordonGpu", [address, dictionary({ reason })], true);
    uncordonGpu = (address: string) => this.call("UncordonGpu", [address], true);
    applyMig = (address: string, spec: string, options: { persistent: boolean }) =>
        this.call<string[]>("ApplyMig", [address, spec, dictionary(options)], true);
    clearMig = (address: string, options: { off: boolean; persistent: boolean }) =>
        this.call<string[]>("ClearMig", [address, dictionary(options)], true);
    setScheduler = (address: string, options: Record<string, string>) =>
        this.call<Scheduler>("SetScheduler", [address, options], true);

    definePool = (xml: string) => this.call<Pool>("DefinePool", [xml], true);
    undefinePool = (name: string) => this.call<string[]>("UndefinePool", [name], true);
    startPool = (name: string) => this.call("StartPool", [name], true);
    stopPool = (name: string) => this.call<string[]>("DestroyPool", [name], true);
    setPoolAutostart = (name: string, autostart: boolean) => this.call("SetPoolAutostart", [name, autostart], true);
    refreshPool = (name: string) => this.call<string[]>("RefreshPool", [name], true);
}
