/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* params.h: parameters of the vendor's plugin, as its driver takes them
 *
 * Names and values are not checked here: the driver does that itself. (NVIDIA, Virtual GPU Software User
 * Guide, "Setting vGPU Plugin Parameters": one comma-separated list in one write.) */
#pragma once

#include <glib.h>
#include <libxml/tree.h>
#include <stdbool.h>

#include "domain/annotation.h"

/* Characters of the whole list. NVIDIA's driver has 1,024 bytes for it, with a newline when it is
 * written and with "vgpu_type_id=%d," when the guest starts, and cuts off the rest. */
#define VGPU_PARAMS_MAX 1000u

/* The parameters of a <vgpu:device> that the grammar accepts: @switches what its attributes say
 * (VGPU_N_PARAMS of them), *@raw its <vgpu:param> elements in their order, "a=1,b=2", NULL when
 * there are none. VGPU_ERROR_BAD_REQUEST when one is named twice, or when the list is too long,
 * with all that a pool could add where the device names one. */
bool vgpu_params_parse(xmlNode *device, const char *what, VgpuSwitch *switches, char **raw,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The whole list: @switches in the order of VgpuParam, then @raw (NULL: none). A switch that is
 * AUTO is taken from @defaults (NULL: none), unless @raw has that parameter. NULL when the list
 * is empty. No name is in it twice. */
char *vgpu_params_format(const VgpuSwitch *switches, const char *raw, const VgpuSwitch *defaults);

/* Its name in the list, and the attribute of <vgpu:device> that stands for it. */
const char *vgpu_params_name(VgpuParam param);
const char *vgpu_params_attribute(VgpuParam param);
/* Its value in the list, NULL: it is not written. */
const char *vgpu_params_value(VgpuParam param, VgpuSwitch state);

/* Whether that list (NULL: empty) switches @param off, which must be one that can be. */
bool vgpu_params_turn_off(const char *list, VgpuParam param);
