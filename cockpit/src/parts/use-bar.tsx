// SPDX-License-Identifier: LGPL-2.1-or-later
import type { Bar } from "../model/gpus";
import { format, mib, stateText, _ } from "./text";

export function barText(bar: Bar): string {
    return bar.totalMib
        ? format(_("$0 of $1"), mib(bar.usedMib), mib(bar.totalMib))
        : format(_("$0 in use"), mib(bar.usedMib));
}

export function UseBar({ bar }: { bar: Bar }) {
    return (
        <div>
            <div className="vgpu-bar" role="img" aria-label={barText(bar)}>
                {bar.totalMib > 0 && bar.segments.map((segment, n) => (
                    <span key={n} title={`${segment.label}: ${segment.profile}, ${mib(segment.mib)}, ${stateText(segment.state)}`}
                        className={segment.state === "active" ? undefined : "vgpu-planned"}
                        style={{ inlineSize: `${(segment.mib / bar.totalMib) * 100}%` }} />
                ))}
            </div>
            <small>{barText(bar)}</small>
        </div>
    );
}
