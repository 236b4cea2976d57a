// SPDX-License-Identifier: LGPL-2.1-or-later
import { Button } from "@patternfly/react-core";
import { useState, type ReactNode } from "react";

import type { ViewProps } from "../app";
import { PoolDialog } from "../dialogs/pool";
import { poolColumns, poolRows, type PoolRow } from "../model/pools";
import { DataTable, type Shown } from "../parts/data-table";
import { Status } from "../parts/status";
import { stateText, _ } from "../parts/text";
import { PoolDetail } from "./pool";

const shown = (): Shown<PoolRow>[] => [
    {
        key: "name",
        label: _("Pool"),
        show: row => (
            <Button variant="link" isInline onClick={() => cockpit.location.go(["pools", row.name])}>{row.name}</Button>
        ),
    },
    { key: "description", label: _("Description"), show: row => (row.builtIn ? _("GPUs that no other pool has") : row.description || "–") },
    { key: "state", label: _("State"), show: row => <Status code={row.state} text={stateText(row.state)} /> },
    { key: "gpus", label: _("GPUs"), show: row => row.gpus },
    { key: "allocated", label: _("vGPUs"), show: row => row.allocated },
    { key: "users", label: _("VMs"), show: row => row.users },
];

export function Pools({ snapshot, place }: ViewProps) {
    const [dialog, show] = useState<ReactNode>(null);
    const pool = snapshot.state.pools.find(one => one.name === place.path[1]);

    if (pool)
        return <PoolDetail key={pool.name} pool={pool} state={snapshot.state} />;
    const define = (
        <Button onClick={() => show(<PoolDialog state={snapshot.state} close={() => show(null)} />)}>{_("Define a pool")}</Button>
    );
    return (
        <>
            <DataTable title={_("Pools")} id="pools" rows={poolRows(snapshot.state)} rowKey={row => row.name}
                columns={poolColumns} shown={shown()} first={{ key: "name", descending: false }} actions={define}
                empty={_("There is no pool")} />
            {dialog}
        </>
    );
}
