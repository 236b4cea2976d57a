// SPDX-License-Identifier: LGPL-2.1-or-later
import { Button } from "@patternfly/react-core";
import { useState, type ReactNode } from "react";

import type { ViewProps } from "../app";
import { usePolled } from "../bus/hooks";
import { CreateDialog } from "../dialogs/create";
import { DestroyDialog } from "../dialogs/destroy";
import { RestartDialog } from "../dialogs/restart";
import { vgpuColumns, vgpuRows, type VgpuRow } from "../model/vgpus";
import { DataTable, type Shown } from "../parts/data-table";
import { Status } from "../parts/status";
import { day, format, mib, percent, stateText, _ } from "../parts/text";

function License({ row }: { row: VgpuRow }) {
    if (!row.license)
        return <>–</>;
    const until = row.expiry && row.expiry !== "permanent" ? format(_("until $0"), day(row.expiry)) : "";
    return <span><Status code={row.license} text={row.license} /> <small>{until}</small></span>;
}

const shown = (show: (dialog: ReactNode) => void): Shown<VgpuRow>[] => {
    const close = () => show(null);
    return [
        {
            key: "domain",
            label: _("VM"),
            show: row => (row.domain ? `${row.domain}${row.index ? ` #${row.index}` : ""}` : <em>{_("none")}</em>),
        },
        { key: "profile", label: _("Profile"), show: row => <span className="vgpu-together">{row.profile}</span> },
        { key: "place", label: _("Place"), show: row => <span className="vgpu-mono">{row.parent || row.gpu || "–"}</span> },
        {
            key: "state",
            label: _("State"),
            show: row => (
                <span className="vgpu-actions">
                    <Status code={row.state} text={stateText(row.state)} />
                    {row.restartNeeded && (
                        <Button variant="link" isInline size="sm" onClick={() => show(<RestartDialog row={row} close={close} />)}>
                            {_("Restart needed")}
                        </Button>
                    )}
                </span>
            ),
        },
        { key: "pool", label: _("Pool"), show: row => [row.pool, row.tenant].filter(Boolean).join(" / ") || "–" },
        {
            key: "memory",
            label: _("Memory"),
            show: row => (row.usedMib === undefined ? "–" : format(_("$0 of $1"), mib(row.usedMib), mib(row.totalMib))),
        },
        { key: "utilization", label: _("Load"), show: row => percent(row.utilization) },
        { key: "license", label: _("Licence"), show: row => <License row={row} /> },
        {
            key: "actions",
            label: "",
            show: row => row.destroyable && (
                <Button variant="secondary" size="sm" onClick={() => show(<DestroyDialog row={row} close={close} />)}
                    aria-label={format(_("Destroy $0"), row.uuid)}>{_("Destroy")}</Button>
            ),
        },
    ];
};

export function Vgpus({ snapshot }: ViewProps) {
    const stats = usePolled(manager => manager.stats());
    const [dialog, show] = useState<ReactNode>(null);
    const create = (
        <Button onClick={() => show(<CreateDialog state={snapshot.state} close={() => show(null)} />)}>{_("Create a vGPU")}</Button>
    );
    return (
        <>
            <DataTable title={_("vGPUs")} id="vgpus" rows={vgpuRows(snapshot.state, stats)} rowKey={row => row.key}
                columns={vgpuColumns} shown={shown(show)} first={{ key: "domain", descending: false }} actions={create}
                empty={_("There is no vGPU, and no VM is to get one")} />
            {dialog}
        </>
    );
}
