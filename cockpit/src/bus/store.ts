// SPDX-License-Identifier: LGPL-2.1-or-later
// What the page knows of the host: one reading, taken again after each signal of the daemon.
import { coalesced } from "./coalesce";
import { followOwner, Manager } from "./manager";
import type { BusEvent, State } from "./types";

const MAX_EVENTS = 500;
const BURST_MS = 100;
const RETRY_MS = 2000;
// What has no signal, such as definitions that are read after the daemon has started.
const REFRESH_MS = 10000;

export interface Snapshot {
    phase: "loading" | "ready" | "away" | "error";
    problem: string;
    state: State;
    events: BusEvent[]; // the newest first
}

const nothing: State = { version: "", libvirt_connected: true, gpus: [], vgpus: [], pools: [] };

export class Store {
    private snapshot: Snapshot = { phase: "loading", problem: "", state: nothing, events: [] };
    private readonly listeners = new Set<() => void>();
    private client: Manager | null = null;

    constructor() {
        this.follow();
        setInterval(() => !cockpit.hidden && this.refresh(), REFRESH_MS);
    }

    private refresh: () => void = () => {};

    private follow() {
        followOwner(owner => this.changeOwner(owner), problem => {
            this.set({ phase: "error", problem });
            setTimeout(() => this.follow(), RETRY_MS);
        });
    }

    private changeOwner(owner: string) {
        this.client?.close();
        this.client = null;
        this.refresh = () => {};
        if (owner)
            this.connect();
        else
            this.set({ phase: "away" });
    }

    private connect() {
        const client = new Manager();
        const read = coalesced(() => this.read(client), run => setTimeout(run, BURST_MS));
        this.client = client;
        this.refresh = read;
        client.onEvent(event => {
            this.set({ events: [event as BusEvent, ...this.snapshot.events].slice(0, MAX_EVENTS) });
            read();
        });
        client.onObjects(read);
        void this.read(client);
    }

    private async read(client: Manager) {
        try {
            const state = await client.state();
            if (client === this.client)
                this.set({ phase: "ready", problem: "", state });
        } catch (error) {
            if (client === this.client)
                this.set({ phase: "error", problem: (error as Error).message });
        }
    }

    private set(change: Partial<Snapshot>) {
        this.snapshot = { ...this.snapshot, ...change };
        this.listeners.forEach(listener => listener());
    }

    subscribe = (listener: () => void) => {
        this.listeners.add(listener);
        return () => void this.listeners.delete(listener);
    };
    get = () => this.snapshot;

    get manager(): Manager {
        if (!this.client)
            throw new Error("virtvgpud is not running");
        return this.client;
    }

    // a call by its name starts it, where the message bus may
    wake() {
        this.connect();
    }

    retry() {
        this.refresh();
    }
}

export const store = new Store();
