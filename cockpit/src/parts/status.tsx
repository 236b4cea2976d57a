// SPDX-License-Identifier: LGPL-2.1-or-later
// What is good and what is not: a word and an icon, the colour only repeats it.
import { Label } from "@patternfly/react-core";

type Status = "success" | "warning" | "danger" | "info" | undefined;

const statuses: Record<string, Status> = {
    ok: "success", active: "success", warn: "warning", fail: "danger", failed: "danger", refused: "warning", stuck: "danger",
    orphan: "warning", cordoned: "warning", obstacle: "danger", unhealthy: "danger", "passed-through": "info",
    attaching: "info", releasing: "info", planned: undefined, inactive: undefined, licensed: "success",
    unlicensed: "danger", expired: "danger",
};

export function Status({ code, text, title }: { code: string; text: string; title?: string }) {
    return <Label isCompact status={statuses[code]} variant="outline" title={title}>{text}</Label>;
}
