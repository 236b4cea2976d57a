// SPDX-License-Identifier: LGPL-2.1-or-later
import {
    Breadcrumb, BreadcrumbItem, Button, Card, CardBody, CardHeader, CardTitle, DescriptionList, DescriptionListDescription,
    DescriptionListGroup, DescriptionListTerm, Switch,
} from "@patternfly/react-core";
import { useState, type ReactNode } from "react";

import { store } from "../bus/store";
import type { Pool, PoolProfile, State, Tenant } from "../bus/types";
import { PoolXmlDialog } from "../dialogs/pool";
import { AutostartDialog, RefreshPoolDialog, StartPoolDialog, StopPoolDialog, UndefinePoolDialog } from "../dialogs/pool-actions";
import { isBuiltIn } from "../model/pools";
import { DataTable, type Shown } from "../parts/data-table";
import { Status } from "../parts/status";
import { format, mib, stateText, _ } from "../parts/text";

const profileColumns = [
    { key: "name", of: (row: PoolProfile) => row.name },
    { key: "available", of: (row: PoolProfile) => row.available },
    { key: "allocated", of: (row: PoolProfile) => row.allocated },
];
const profilesShown = (): Shown<PoolProfile>[] => [
    { key: "name", label: _("Profile"), show: row => row.name },
    { key: "allocated", label: _("In use"), show: row => row.allocated ?? 0 },
    { key: "available", label: _("Room"), show: row => row.available ?? _("not known") },
];
const tenantColumns = [{ key: "name", of: (row: Tenant) => row.name }, { key: "used", of: (row: Tenant) => row.used }];
const tenantsShown = (): Shown<Tenant>[] => [
    { key: "name", label: _("Tenant"), show: row => row.name },
    {
        key: "used",
        label: _("vGPUs"),
        show: row => (row.max === undefined ? row.used ?? 0 : format(_("$0 of $1"), row.used ?? 0, row.max)),
    },
    {
        key: "memory",
        label: _("Memory"),
        show: row => (row.max_mib === undefined ? mib(row.used_mib) : format(_("$0 of $1"), mib(row.used_mib ?? 0), mib(row.max_mib))),
    },
];

function rules(pool: Pool): [string, string][] {
    const params = [pool.params_allow === "listed" ? (pool.params_listed ?? []).join(", ") : pool.params_allow,
        ...(pool.params_set ?? [])];
    return ([
        [_("GPUs"), pool.gpus.join(", ") || "–"],
        [_("Default profile"), pool.default_profile],
        [_("Plugin parameters"), params.filter(Boolean).join(", ")],
        [_("Driver CD"), pool.driver_iso],
        [_("Driver version"), pool.driver_version],
        [_("VMs"), pool.users.join(", ") || "–"],
    ] as [string, string | undefined][]).filter((row): row is [string, string] => !!row[1]);
}

function Actions({ pool, show }: { pool: Pool; show: (dialog: ReactNode) => void }) {
    const close = () => show(null);
    const edit = () => void store.manager.poolXml(pool.name).then(xml => show(<PoolXmlDialog name={pool.name} xml={xml} close={close} />));
    if (isBuiltIn(pool))
        return null;
    return (
        <div className="vgpu-actions">
            {pool.state === "active"
                ? <Button variant="secondary" onClick={() => show(<StopPoolDialog pool={pool} close={close} />)}>{_("Stop")}</Button>
                : <Button variant="secondary" onClick={() => show(<StartPoolDialog pool={pool} close={close} />)}>{_("Start")}</Button>}
            <Button variant="secondary" onClick={() => show(<RefreshPoolDialog pool={pool} close={close} />)}>{_("Refresh")}</Button>
            <Button variant="secondary" onClick={edit}>{_("Edit the XML")}</Button>
            <Button variant="secondary" isDanger onClick={() => show(<UndefinePoolDialog pool={pool} close={close} />)}>{_("Undefine")}</Button>
        </div>
    );
}

export function PoolDetail({ pool }: { pool: Pool; state: State }) {
    const [dialog, show] = useState<ReactNode>(null);
    return (
        <>
            <Breadcrumb>
                <BreadcrumbItem to="#/pools">{_("Pools")}</BreadcrumbItem>
                <BreadcrumbItem isActive>{pool.name}</BreadcrumbItem>
            </Breadcrumb>
            <Card id="pool" component="section">
                <CardHeader actions={{ actions: <Actions pool={pool} show={show} />, hasNoOffset: true }}>
                    <CardTitle component="h2">{pool.name}</CardTitle>
                </CardHeader>
                <CardBody>
                    {pool.description && <p>{pool.description}</p>}
                    <div className="vgpu-actions">
                        <Status code={pool.state} text={stateText(pool.state)} />
                        {!isBuiltIn(pool) && (
                            <Switch id="autostart" label={_("Start with the daemon")} isChecked={!!pool.autostart}
                                onChange={(_event, on) => show(<AutostartDialog pool={pool} on={on} close={() => show(null)} />)} />
                        )}
                    </div>
                    <DescriptionList isHorizontal isCompact>
                        {rules(pool).map(([term, text]) => (
                            <DescriptionListGroup key={term}>
                                <DescriptionListTerm>{term}</DescriptionListTerm>
                                <DescriptionListDescription>{text}</DescriptionListDescription>
                            </DescriptionListGroup>
                        ))}
                    </DescriptionList>
                </CardBody>
            </Card>
            <div className="vgpu-cards">
                <DataTable title={_("Room")} id="room" rows={pool.profiles} rowKey={row => row.name} columns={profileColumns}
                    shown={profilesShown()} first={{ key: "name", descending: false }} search={false}
                    empty={_("It has no profiles")} />
                <DataTable title={_("Shares")} id="shares" rows={pool.tenants} rowKey={row => row.name} columns={tenantColumns}
                    shown={tenantsShown()} first={{ key: "name", descending: false }} search={false}
                    empty={_("All tenants share it without limits")} />
            </div>
            {dialog}
        </>
    );
}
