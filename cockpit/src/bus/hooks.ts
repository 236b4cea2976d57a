// SPDX-License-Identifier: LGPL-2.1-or-later
import { useCallback, useEffect, useState, useSyncExternalStore } from "react";

import type { Manager } from "./manager";
import { store, type Snapshot } from "./store";

const POLL_MS = 2000;

export const useSnapshot = (): Snapshot => useSyncExternalStore(store.subscribe, store.get);

export interface Answer<T> {
    value?: T;
    problem?: string;
}

// useAnswer ASK, KEY: the answer to a question, asked again when key changes
export function useAnswer<T>(ask: (manager: Manager) => Promise<T>, key: string): Answer<T> {
    const [answer, setAnswer] = useState<{ key: string } & Answer<T>>({ key });
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the question is told by its key
    const question = useCallback(ask, [key]);

    useEffect(() => {
        let current = true;
        Promise.resolve()
            .then(() => question(store.manager))
            .then(value => current && setAnswer({ key, value }),
                error => current && setAnswer({ key, problem: (error as Error).message }));
        return () => { current = false };
    }, [question, key]);
    return answer.key === key ? answer : {};
}

// usePolled ASK: figures, while somebody looks
export function usePolled<T>(ask: (manager: Manager) => Promise<T[]>): T[] {
    const [value, setValue] = useState<T[]>([]);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the same question as long as the view lives
    const question = useCallback(ask, []);

    useEffect(() => {
        let timer = 0;
        let current = true;
        async function poll() {
            if (!cockpit.hidden) {
                try {
                    const figures = await question(store.manager);
                    if (current)
                        setValue(figures);
                } catch {
                    // the state of the page says that the daemon is away
                }
            }
            if (current)
                timer = window.setTimeout(() => void poll(), POLL_MS);
        }
        void poll();
        return () => {
            current = false;
            window.clearTimeout(timer);
        };
    }, [question]);
    return value;
}

export interface Place {
    path: string[];
    options: Record<string, string>;
}

const place = (): Place => ({ path: cockpit.location.path, options: cockpit.location.options as Record<string, string> });

export function usePlace(): Place {
    const [current, setCurrent] = useState(place);
    useEffect(() => {
        const update = () => setCurrent(place());
        cockpit.addEventListener("locationchanged", update);
        return () => cockpit.removeEventListener("locationchanged", update);
    }, []);
    return current;
}
