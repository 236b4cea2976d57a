// SPDX-License-Identifier: LGPL-2.1-or-later

// Calls work once however often it is asked while it runs or before it starts, and once more if it was asked meanwhile.
// later: how a run is put off, so that a burst of signals becomes one reading.
export function coalesced(work: () => Promise<void>, later: (run: () => void) => void): () => void {
    let waiting = false;
    let running = false;
    let again = false;

    async function run() {
        waiting = false;
        running = true;
        try {
            await work();
        } finally {
            running = false;
            if (again) {
                again = false;
                ask();
            }
        }
    }

    function ask() {
        if (running) {
            again = true;
        } else if (!waiting) {
            waiting = true;
            later(() => void run());
        }
    }

    return ask;
}
