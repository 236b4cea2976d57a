// SPDX-License-Identifier: LGPL-2.1-or-later
// A VM gets a vGPU: the VM, what fits, options, when, and the plan before it is done.
import { Alert, Button, Card, CardBody, CardTitle, Form, FormGroup, FormSelect, FormSelectOption, Radio } from "@patternfly/react-core";
import { useState, type ReactNode } from "react";

import type { ViewProps } from "../app";
import { useAnswer } from "../bus/hooks";
import { store } from "../bus/store";
import type { Device, Domain } from "../bus/types";
import { ClearDialog } from "../dialogs/clear";
import { ActionDialog } from "../parts/action-dialog";
import { choices, defaults, device, fitting, notFitting, type Choice } from "../model/fits";
import { format, mib, ngettext, _ } from "../parts/text";
import { GiveOptions } from "./give-options";
import { Plan } from "./plan";
import { WhyNotList } from "./why-not";

const describe = (choice: Choice) => [choice.profile, mib(choice.mib),
    choice.free === undefined ? "" : ngettext("room for $0", "room for $0", choice.free), choice.license].filter(Boolean).join(", ");

type When = "next" | "now";

// An annotated VM keeps what it has and gets one more; otherwise the annotation is made.
function give(domain: Domain, what: Device, when: When): Promise<unknown> {
    return when === "now" || domain.annotated
        ? store.manager.attach(domain.uuid, what, { live: when === "now", config: domain.persistent })
        : store.manager.setAnnotation(domain.uuid, [what], {});
}

function FitList({ all, chosen, choose }: { all: Choice[]; chosen: Choice | undefined; choose: (choice: Choice) => void }) {
    const pools = [...new Set(all.map(choice => choice.pool))];
    if (!all.length)
        return <Alert component="h3" variant="warning" isInline title={_("Nothing fits at the moment")} />;
    return (
        <>
            {pools.map(pool => (
                <FormGroup key={pool} label={format(_("Fits, from pool $0"), pool)} role="radiogroup" fieldId={`fits-${pool}`}>
                    {all.filter(choice => choice.pool === pool).map(choice => (
                        <Radio key={choice.key} id={`choice-${choice.key}`} name="choice" label={describe(choice)}
                            isChecked={chosen?.key === choice.key} onChange={() => choose(choice)} />
                    ))}
                </FormGroup>
            ))}
        </>
    );
}

function WhenList({ domain, when, choose }: { domain: Domain; when: When; choose: (when: When) => void }) {
    return (
        <FormGroup label={_("When")} role="radiogroup" fieldId="when">
            <Radio id="when-next" name="when" label={_("At its next start")} isChecked={when === "next"}
                isDisabled={!domain.persistent} onChange={() => choose("next")} />
            <Radio id="when-now" name="when" isDisabled={!domain.running}
                label={domain.persistent ? _("Now, and at each start") : _("Now")} isChecked={when === "now"}
                onChange={() => choose("now")} />
        </FormGroup>
    );
}

export function Give({ snapshot, place }: ViewProps) {
    const [done, setDone] = useState(0);
    const [dialog, show] = useState<ReactNode>(null);
    const [key, setKey] = useState("");
    const [options, setOptions] = useState(defaults);
    const [chosenWhen, setWhen] = useState<When>("next");
    const domains = useAnswer(manager => manager.domains(), `${done} ${snapshot.state.vgpus.length} ${snapshot.events.length}`);
    const list = domains.value ?? [];
    const domain = list.find(one => one.name === place.path[1]) ?? list.find(one => !one.annotated) ?? list[0];
    const all = choices(snapshot.state);
    const choice = fitting(all).find(one => one.key === key) ?? fitting(all)[0];
    const close = () => show(null);

    if (domains.problem)
        return <Alert component="h2" variant="danger" isInline title={_("The VMs are not known")}>{domains.problem}</Alert>;
    if (!domain)
        return <Card id="give" component="section"><CardBody>{domains.value ? _("libvirt has no VM") : _("Loading")}</CardBody></Card>;
    const when = !domain.running ? "next" : !domain.persistent ? "now" : chosenWhen;
    const what = choice && device(choice, options);
    const plan = what && <Plan domain={domain} devices={[what]} />;

    return (
        <Card id="give" component="section">
            <CardTitle component="h2">{_("A VM gets a vGPU")}</CardTitle>
            <CardBody>
                <Form onSubmit={event => event.preventDefault()}>
                    <FormGroup label={_("VM")} fieldId="domain">
                        <FormSelect id="domain" value={domain.name} onChange={(_event, name) => cockpit.location.go(["give", name])}>
                            {list.map(one => (
                                <FormSelectOption key={one.uuid} value={one.name} label={
                                    format(one.running ? _("$0, running") : _("$0, off"), one.name) + (one.annotated ? _(", has vGPUs") : "")
                                } />
                            ))}
                        </FormSelect>
                    </FormGroup>
                    {domain.annotated && (
                        <div>
                            <Button variant="secondary" onClick={() => show(
                                <ClearDialog domain={domain} close={() => { close(); setDone(done + 1); }} />)}>
                                {_("Take its vGPUs away")}
                            </Button>
                        </div>
                    )}
                    <FitList all={fitting(all)} chosen={choice} choose={one => setKey(one.key)} />
                    <WhyNotList all={notFitting(all)} domain={domain} options={options} />
                    <GiveOptions options={options} change={setOptions} />
                    <WhenList domain={domain} when={when} choose={setWhen} />
                    {plan}
                    <div>
                        <Button isDisabled={!what} onClick={() => show(
                            <ActionDialog title={format(_("Give $0 a vGPU?"), domain.name)} action={_("Give")} close={close}
                                run={() => give(domain, what, when).then(() => setDone(done + 1))}>
                                <p>{describe(choice)}</p>
                                {plan}
                            </ActionDialog>)}>{_("Give it")}</Button>
                    </div>
                </Form>
                {dialog}
            </CardBody>
        </Card>
    );
}
