// SPDX-License-Identifier: LGPL-2.1-or-later
import { Alert, Button, EmptyState, EmptyStateBody, EmptyStateFooter, Nav, NavItem, NavList, Spinner } from "@patternfly/react-core";
import { useState, type ComponentType } from "react";

import { usePlace, useSnapshot, type Place } from "./bus/hooks";
import { store, type Snapshot } from "./bus/store";
import { format, _ } from "./parts/text";
import { views } from "./views";

export interface ViewProps {
    snapshot: Snapshot;
    place: Place;
}

function Away() {
    return (
        <EmptyState titleText={_("virtvgpud is not running")} headingLevel="h2" status="warning" id="away">
            <EmptyStateBody>
                {_("Nothing is known about vGPUs while the daemon is away. VMs that run keep theirs. This page continues by itself when the daemon is back.")}
            </EmptyStateBody>
            <EmptyStateFooter>
                <Button onClick={() => store.wake()}>{_("Start it")}</Button>
            </EmptyStateFooter>
        </EmptyState>
    );
}

function Failed({ problem }: { problem: string }) {
    return (
        <EmptyState titleText={_("The daemon does not answer")} headingLevel="h2" status="danger" id="failed">
            <EmptyStateBody>{problem}</EmptyStateBody>
            <EmptyStateFooter>
                <Button onClick={() => store.retry()}>{_("Try again")}</Button>
            </EmptyStateFooter>
        </EmptyState>
    );
}

function Content({ snapshot, place, view: View }: ViewProps & { view: ComponentType<ViewProps> }) {
    switch (snapshot.phase) {
    case "loading":
        return <EmptyState titleText={_("Loading")} headingLevel="h2" icon={Spinner} id="loading" />;
    case "away":
        return <Away />;
    case "error":
        return <Failed problem={snapshot.problem} />;
    case "ready":
        return <View snapshot={snapshot} place={place} />;
    }
}

export function App() {
    const snapshot = useSnapshot();
    const place = usePlace();
    const [quiet, setQuiet] = useState(false);
    const current = views.find(view => view.path === (place.path[0] ?? "gpus")) ?? views[0];

    return (
        <div className="vgpu-page" data-phase={snapshot.phase}>
            <header>
                <h1 className="vgpu-hidden">{_("vGPUs")}</h1>
                <Nav variant="horizontal-subnav" aria-label={_("Views")}>
                    <NavList>
                        {views.map(view => (
                            <NavItem key={view.path} itemId={view.path} isActive={view === current} to={`#/${view.path}`}>
                                {view.title()}
                            </NavItem>
                        ))}
                    </NavList>
                </Nav>
            </header>
            <main>
                {snapshot.phase === "ready" && !snapshot.state.libvirt_connected && !quiet && (
                    <Alert component="h2" variant="warning" isInline title={_("libvirt is not connected")}
                        actionLinks={<Button variant="link" isInline onClick={() => setQuiet(true)}>{_("Hide")}</Button>}>
                        {format(_("VMs and what they are to get are not known. virtvgpud $0 connects again by itself."),
                            snapshot.state.version)}
                    </Alert>
                )}
                <Content snapshot={snapshot} place={place} view={current.view} />
            </main>
        </div>
    );
}
