// SPDX-License-Identifier: LGPL-2.1-or-later
import {
    Alert, Breadcrumb, BreadcrumbItem, Button, Card, CardBody, CardHeader, CardTitle, DescriptionList, DescriptionListDescription,
    DescriptionListGroup, DescriptionListTerm,
} from "@patternfly/react-core";
import { useState, type ReactNode } from "react";

import type { Gpu, GpuStats, State } from "../bus/types";
import { CordonDialog, UncordonDialog } from "../dialogs/cordon";
import { VfsDialog } from "../dialogs/vfs";
import { bar, condition, gpuName, how, profileColumns, profileRow, type ProfileRow } from "../model/gpus";
import { DataTable, type Shown } from "../parts/data-table";
import { Status } from "../parts/status";
import { conditionText, howText, mib, ngettext, percent, stateText, time, _ } from "../parts/text";
import { UseBar } from "../parts/use-bar";
import { Mig } from "./mig";
import { Scheduler } from "./scheduler";

const shown = (): Shown<ProfileRow>[] => [
    { key: "name", label: _("Profile"), show: row => <span title={row.id}>{row.name}</span> },
    { key: "mib", label: _("Memory"), show: row => mib(row.mib) },
    {
        key: "available",
        label: _("Room"),
        show: row => (row.available === undefined ? _("not known") : `${row.available}/${row.capacity ?? "–"}`),
    },
    { key: "license", label: _("Licence"), show: row => row.license || _("none needed") },
    { key: "purpose", label: _("Meant for"), show: row => row.purpose || "–" },
];

function Fact({ term, children }: { term: string; children: ReactNode }) {
    return (
        <DescriptionListGroup>
            <DescriptionListTerm>{term}</DescriptionListTerm>
            <DescriptionListDescription>{children}</DescriptionListDescription>
        </DescriptionListGroup>
    );
}

function Health({ stats }: { stats: GpuStats }) {
    return (
        <>
            {stats.health && <Fact term={_("Health")}>{stats.health}</Fact>}
            {stats.temperature_c !== undefined && <Fact term={_("Temperature")}>{`${stats.temperature_c} °C`}</Fact>}
            {stats.power_w !== undefined && <Fact term={_("Power")}>{`${stats.power_w} W`}</Fact>}
            {stats.gpu_util !== undefined && <Fact term={_("Utilization")}>{percent(stats.gpu_util)}</Fact>}
            {stats.ecc_uncorrected !== undefined && <Fact term={_("Uncorrected errors")}>{stats.ecc_uncorrected}</Fact>}
            {stats.driver_version && <Fact term={_("Driver version")}>{stats.driver_version}</Fact>}
        </>
    );
}

function Overview({ gpu, stats, show }: { gpu: Gpu; stats?: GpuStats; show: (dialog: ReactNode) => void }) {
    const [is, reason] = condition(gpu, stats);
    const close = () => show(null);
    const actions = (
        <div className="vgpu-actions">
            {gpu.vfs_total
                ? <Button variant="secondary" onClick={() => show(<VfsDialog gpu={gpu} close={close} />)}>{_("Virtual functions")}</Button>
                : null}
            {gpu.cordoned
                ? <Button variant="secondary" onClick={() => show(<UncordonDialog gpu={gpu} close={close} />)}>{_("Uncordon")}</Button>
                : <Button variant="secondary" onClick={() => show(<CordonDialog gpu={gpu} close={close} />)}>{_("Cordon")}</Button>}
        </div>
    );
    return (
        <Card id="overview" component="section">
            <CardHeader actions={{ actions, hasNoOffset: true }}>
                <CardTitle component="h2">{gpuName(gpu)}</CardTitle>
            </CardHeader>
            <CardBody>
                <DescriptionList isHorizontal isCompact>
                    <Fact term={_("State")}>
                        <Status code={is} text={conditionText(is)} /> {reason}
                        {gpu.cordoned?.since && <small> {time(gpu.cordoned.since)}</small>}
                    </Fact>
                    <Fact term={_("Address")}><span className="vgpu-mono">{gpu.address}</span></Fact>
                    <Fact term={_("How")}>{howText(how(gpu))}</Fact>
                    {gpu.vfs_total
                        ? <Fact term={_("VFs")}><span id="vfs">{`${gpu.vfs_enabled ?? 0}/${gpu.vfs_total}`}</span></Fact>
                        : null}
                    {gpu.numa_node !== undefined && <Fact term={_("NUMA node")}>{gpu.numa_node}</Fact>}
                    {stats && <Health stats={stats} />}
                </DescriptionList>
            </CardBody>
        </Card>
    );
}

function Use({ gpu, state, stats }: { gpu: Gpu; state: State; stats?: GpuStats }) {
    const used = bar(gpu, state.vgpus, stats);
    return (
        <Card id="use" component="section">
            <CardTitle component="h2">{_("In use")}</CardTitle>
            <CardBody>
                <UseBar bar={used} />
                <ul className="vgpu-list">
                    {used.segments.map((segment, n) => (
                        <li key={n}>{`${segment.label}: ${segment.profile}, ${mib(segment.mib)}, ${stateText(segment.state)}`}</li>
                    ))}
                </ul>
                {!used.segments.length && <p>{_("There is no vGPU on it.")}</p>}
                <small>{ngettext("$0 vGPU", "$0 vGPUs", gpu.vgpus ?? 0)}</small>
            </CardBody>
        </Card>
    );
}

export function GpuDetail({ gpu, state, stats }: { gpu: Gpu; state: State; stats?: GpuStats }) {
    const [dialog, show] = useState<ReactNode>(null);
    const obstacle = gpu.profiles?.find(profile => profile.obstacle)?.obstacle;
    return (
        <>
            <Breadcrumb>
                <BreadcrumbItem to="#/gpus">{_("GPUs")}</BreadcrumbItem>
                <BreadcrumbItem isActive>{gpu.address}</BreadcrumbItem>
            </Breadcrumb>
            {obstacle && <Alert component="h2" variant="danger" isInline title={_("Cannot be used")}>{obstacle}</Alert>}
            <div className="vgpu-cards">
                <Overview gpu={gpu} stats={stats} show={show} />
                <Use gpu={gpu} state={state} stats={stats} />
                <Mig gpu={gpu} show={show} />
                <Scheduler gpu={gpu} show={show} />
            </div>
            <DataTable title={_("Profiles")} id="profiles" rows={(gpu.profiles ?? []).map(profileRow)} rowKey={row => row.id}
                columns={profileColumns} shown={shown()} first={{ key: "name", descending: false }} search={false}
                empty={_("It offers no profiles, as its virtual functions may be off")} />
            {dialog}
        </>
    );
}
