// SPDX-License-Identifier: LGPL-2.1-or-later
// What the page uses of Cockpit's base1/cockpit.js, in the versions 287 and later.
interface DBusSubscription {
    remove(): void;
}

interface DBusClient {
    call(path: string, iface: string, method: string, args?: unknown[],
        options?: { type?: string; flags?: "" | "i"; timeout?: number }): Promise<unknown[]>;
    subscribe(match: { path?: string; path_namespace?: string; interface?: string; member?: string; arg0?: string },
        callback: (path: string, iface: string, signal: string, args: unknown[]) => void): DBusSubscription;
    addEventListener(event: "close", callback: (event: unknown, options: { problem?: string }) => void): void;
    close(): void;
}

interface CockpitLocation {
    path: string[];
    options: Record<string, string | string[]>;
    go(path: string[], options?: Record<string, string>): void;
}

declare const cockpit: {
    dbus(name: string, options: { bus: string; superuser?: "try" | "require" }): DBusClient;
    variant(type: string, value: unknown): { t: string; v: unknown };
    gettext(text: string): string;
    ngettext(one: string, many: string, n: number): string;
    format(text: string, ...args: unknown[]): string;
    location: CockpitLocation;
    jump(path: string): void;
    hidden: boolean;
    language: string;
    addEventListener(event: "locationchanged" | "visibilitychange", callback: () => void): void;
    removeEventListener(event: "locationchanged" | "visibilitychange", callback: () => void): void;
};

interface Window {
    debugging?: string;
}
