// SPDX-License-Identifier: LGPL-2.1-or-later
import type { ComponentType } from "react";

import type { ViewProps } from "../app";
import { _ } from "../parts/text";
import { Events } from "./events";
import { Give } from "./give";
import { Gpus } from "./gpus";
import { Pools } from "./pools";
import { Vgpus } from "./vgpus";

export const views: { path: string; title: () => string; view: ComponentType<ViewProps> }[] = [
    { path: "gpus", title: () => _("GPUs"), view: Gpus },
    { path: "vgpus", title: () => _("vGPUs"), view: Vgpus },
    { path: "pools", title: () => _("Pools"), view: Pools },
    { path: "give", title: () => _("A VM gets a vGPU"), view: Give },
    { path: "events", title: () => _("Events"), view: Events },
];
