// SPDX-License-Identifier: LGPL-2.1-or-later
// A new pool by a form, with the XML that it stands for beside it; an existing one by its XML.
import { Button, Checkbox, Form, FormGroup, FormSelect, FormSelectOption, TextArea, TextInput } from "@patternfly/react-core";
import { useState } from "react";

import { store } from "../bus/store";
import type { State } from "../bus/types";
import { gpuName } from "../model/gpus";
import { emptyForm, formProblem, poolXml, type FormProblem, type PoolForm, type Share } from "../model/pools";
import { ActionDialog } from "../parts/action-dialog";
import { format, _ } from "../parts/text";

function XmlArea({ xml, change }: { xml: string; change: (xml: string) => void }) {
    return (
        <FormGroup label={_("XML, see virt-vgpu-pool(5)")} fieldId="xml">
            <TextArea id="xml" className="vgpu-mono" value={xml} rows={16} spellCheck={false} resizeOrientation="vertical"
                onChange={(_event, value) => change(value)} />
        </FormGroup>
    );
}

export function PoolXmlDialog({ name, xml, close }: { name: string; xml: string; close: () => void }) {
    const [text, setText] = useState(xml);
    return (
        <ActionDialog title={format(_("Edit the pool $0"), name)} action={_("Save")} size="large" close={close}
            run={() => store.manager.definePool(text)}>
            <Form onSubmit={event => event.preventDefault()}><XmlArea xml={text} change={setText} /></Form>
        </ActionDialog>
    );
}

const problemText = (problem: FormProblem) => ({
    "no-name": _("A pool needs a name."),
    "bad-name": _("The name has a character that it cannot have."),
    taken: _("There is a pool with this name."),
    "no-gpu": _("Choose a GPU at least."),
})[problem];

function toggled(list: string[], item: string, on: boolean): string[] {
    return on ? [...list, item] : list.filter(one => one !== item);
}

interface FieldsProps {
    form: PoolForm;
    change: (part: Partial<PoolForm>) => void;
    state: State;
}

function Choices({ form, change, state }: FieldsProps) {
    const profiles = [...new Set(state.gpus.filter(gpu => form.gpus.includes(gpu.address))
        .flatMap(gpu => gpu.profiles ?? []).map(profile => profile.name))];
    return (
        <>
            <FormGroup label={_("GPUs")} role="group" fieldId="pool-gpus">
                {state.gpus.map(gpu => (
                    <Checkbox key={gpu.address} id={`gpu-${gpu.address}`} label={`${gpuName(gpu)}, ${gpu.address}`}
                        isChecked={form.gpus.includes(gpu.address)}
                        onChange={(_event, on) => change({ gpus: toggled(form.gpus, gpu.address, on) })} />
                ))}
            </FormGroup>
            {profiles.length > 0 && (
                <FormGroup label={_("Profiles; none chosen: all")} role="group" fieldId="pool-profiles">
                    {profiles.map(name => (
                        <Checkbox key={name} id={`profile-${name}`} label={name} isChecked={form.profiles.includes(name)}
                            onChange={(_event, on) => change({ profiles: toggled(form.profiles, name, on) })} />
                    ))}
                </FormGroup>
            )}
            {form.profiles.length > 0 && (
                <FormGroup label={_("Default profile")} fieldId="default-profile">
                    <FormSelect id="default-profile" value={form.defaultProfile}
                        onChange={(_event, value) => change({ defaultProfile: value })}>
                        <FormSelectOption value="" label={_("none")} />
                        {form.profiles.map(name => <FormSelectOption key={name} value={name} label={name} />)}
                    </FormSelect>
                </FormGroup>
            )}
        </>
    );
}

function Shares({ form, change }: Omit<FieldsProps, "state">) {
    const set = (n: number, part: Partial<Share>) =>
        change({ tenants: form.tenants.map((tenant, at) => (at === n ? { ...tenant, ...part } : tenant)) });
    return (
        <FormGroup label={_("Shares of tenants")} role="group" fieldId="tenants">
            {form.tenants.map((tenant, n) => (
                <div className="vgpu-share" key={n}>
                    <TextInput aria-label={_("Tenant")} placeholder={_("Tenant")} value={tenant.name}
                        onChange={(_event, name) => set(n, { name })} />
                    <TextInput aria-label={_("vGPUs at most")} placeholder={_("vGPUs at most")} type="number" value={tenant.max ?? ""}
                        onChange={(_event, value) => set(n, { max: value ? Number(value) : undefined })} />
                </div>
            ))}
            <Button variant="link" isInline onClick={() => change({ tenants: [...form.tenants, { name: "" }] })}>
                {_("Add a tenant")}
            </Button>
        </FormGroup>
    );
}

export function PoolDialog({ state, close }: { state: State; close: () => void }) {
    const [form, setForm] = useState(emptyForm);
    const [edited, setEdited] = useState<string | null>(null);
    const problem = edited === null ? formProblem(form, state.pools.map(pool => pool.name)) : null;
    const xml = edited ?? poolXml(form);
    const change = (part: Partial<PoolForm>) => setForm({ ...form, ...part });

    return (
        <ActionDialog title={_("Define a pool")} action={_("Define")} size="large" close={close} disabled={!!problem}
            run={() => store.manager.definePool(xml)}>
            <Form className="vgpu-beside" onSubmit={event => event.preventDefault()}>
                {edited === null
                    ? (
                        <div className="vgpu-groups">
                            <FormGroup label={_("Name")} fieldId="pool-name" isRequired>
                                <TextInput id="pool-name" value={form.name} onChange={(_event, name) => change({ name })} />
                            </FormGroup>
                            <FormGroup label={_("Description")} fieldId="pool-description">
                                <TextInput id="pool-description" value={form.description}
                                    onChange={(_event, description) => change({ description })} />
                            </FormGroup>
                            <Choices form={form} change={change} state={state} />
                            <FormGroup label={_("Placement")} fieldId="policy">
                                <FormSelect id="policy" value={form.policy}
                                    onChange={(_event, policy) => change({ policy: policy as PoolForm["policy"] })}>
                                    <FormSelectOption value="" label={_("as the daemon is configured")} />
                                    <FormSelectOption value="pack" label={_("fill one GPU after the other")} />
                                    <FormSelectOption value="spread" label={_("spread over the GPUs")} />
                                    <FormSelectOption value="numa" label={_("near the VM's memory")} />
                                </FormSelect>
                            </FormGroup>
                            <Shares form={form} change={change} />
                            {problem && <p role="status">{problemText(problem)}</p>}
                        </div>
                    )
                    : (
                        <div>
                            <p>{_("The XML has been edited, so the form does not apply.")}</p>
                            <Button variant="link" isInline onClick={() => setEdited(null)}>{_("Back to the form")}</Button>
                        </div>
                    )}
                <XmlArea xml={xml} change={setEdited} />
            </Form>
        </ActionDialog>
    );
}
