// SPDX-License-Identifier: LGPL-2.1-or-later
import { Button } from "@patternfly/react-core";

import type { ViewProps } from "../app";
import { usePolled } from "../bus/hooks";
import { gpuColumns, gpuRows, type GpuRow } from "../model/gpus";
import { DataTable, type Shown } from "../parts/data-table";
import { Status } from "../parts/status";
import { conditionText, howText, _ } from "../parts/text";
import { UseBar } from "../parts/use-bar";
import { Doctor } from "./doctor";
import { GpuDetail } from "./gpu";

const open = (address: string) => cockpit.location.go(["gpus", address]);

const shown = (): Shown<GpuRow>[] => [
    {
        key: "name",
        label: _("GPU"),
        show: row => <Button variant="link" isInline onClick={() => open(row.address)}>{row.name}</Button>,
    },
    { key: "address", label: _("Address"), show: row => <span className="vgpu-mono">{row.address}</span> },
    { key: "how", label: _("How"), show: row => howText(row.how) },
    { key: "vfs", label: _("VFs"), show: row => (row.vfsTotal ? `${row.vfsEnabled}/${row.vfsTotal}` : "–") },
    { key: "use", label: _("In use"), show: row => <UseBar bar={row.bar} /> },
    { key: "vgpus", label: _("vGPUs"), show: row => row.vgpus },
    {
        key: "condition",
        label: _("State"),
        show: row => <Status code={row.condition} text={conditionText(row.condition)} title={row.reason} />,
    },
];

export function Gpus({ snapshot, place }: ViewProps) {
    const stats = usePolled(manager => manager.gpuStats());
    const gpu = snapshot.state.gpus.find(one => one.address === place.path[1]);

    if (gpu) {
        return <GpuDetail gpu={gpu} state={snapshot.state} stats={stats.find(one => one.gpu === gpu.address)} />;
    }
    return (
        <>
            <DataTable title={_("GPUs")} id="gpus" rows={gpuRows(snapshot.state, stats)} rowKey={row => row.address}
                columns={gpuColumns} shown={shown()} first={{ key: "address", descending: false }}
                empty={_("There is no GPU on this host that virt-vgpu knows")} />
            <Doctor />
        </>
    );
}
