/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* steps.c: the steps of a start, one for each vGPU, and whether it has failed */
#include "core/steps.h"

#include "core/manager-private.h"
#include "domain/params.h"
#include "domain/refusals.h"

VgpuStep *
vgpu_steps_find(VgpuStart *self, const char *uuid)
{
    for (guint i = 0; self && i < self->steps->len; i++) {
        VgpuStep *step = &g_array_index(self->steps, VgpuStep, i);

        if (g_str_equal(step->want->uuid, uuid))
            return step;
    }
    return NULL;
}

void
vgpu_steps_fail(VgpuStart *self, VgpuError code, const char *text)
{
    if (!self->failure)
        g_set_error_literal(&self->failure, VGPU_ERROR, code, text);
}

void
vgpu_steps_cannot(VgpuManager *manager, guint64 token, const GError *error)
{
    VgpuStart *self = g_hash_table_lookup(manager->starts, &token);

    if (self)
        vgpu_steps_fail(self, (VgpuError) error->code, error->message);
}

void
vgpu_steps_is_unusable(VgpuManager *manager, const VgpuClaim *claim, const char *why)
{
    VgpuStep *step =
        vgpu_steps_find(g_hash_table_lookup(manager->starts, &claim->start), claim->uuid);

    if (!step)
        return;
    g_free(step->unusable);
    step->unusable = g_strdup(why);
}

/* Whether the domain itself, and not only its pool, asks for a parameter that the device does not have. */
static bool
lacks_asked(const VgpuWant *want, const char *has)
{
    g_autofree char *params =
        vgpu_params_format(want->asked.params, want->asked.raw_params, NULL);
    g_auto(GStrv) asked = g_strsplit(params ? params : "", ",", -1),
                  had = g_strsplit(has, ",", -1);

    for (guint i = 0; asked[i]; i++) {
        if (!g_strv_contains((const char *const *) had, asked[i]))
            return true;
    }
    return false;
}

/* The parameters of a device that existed before are not written: a domain that asks for others cannot
 * have it, and for one that does not ask they are reported. */
void
vgpu_steps_see_params(VgpuManager *self, VgpuClaim *claim, const char *has)
{
    const char *wanted = claim->params ? claim->params : "";
    bool differs = has && !g_str_equal(has, wanted);
    VgpuStart *start = g_hash_table_lookup(self->starts, &claim->start);
    const VgpuStep *step = vgpu_steps_find(start, claim->uuid);
    g_autofree char *text = NULL;

    if (vgpu_claim_hold(claim) != VGPU_HOLD_ADOPTED) {
        claim->lacks_params = has ? differs : claim->lacks_params;
        return;
    }
    claim->lacks_params = false;
    if (!differs && (has || !*wanted))
        return;
    if (differs && step && lacks_asked(step->want, has)) {
        start->about = step->want;
        text = g_strdup_printf(VGPU_REFUSAL_FOREIGN_PARAMS, claim->uuid, has, wanted);
        vgpu_steps_fail(start, VGPU_ERROR_BAD_REQUEST, text);
        return;
    }
    text = g_strdup_printf(
        "wanted '%s', it has '%s'; it existed before the start and is not changed", wanted,
        has ? has : "(nothing that can be read)");
    vgpu_events_emit(self, "params-left", claim->owner, claim, text, -1);
}

void
vgpu_step_clear(gpointer step)
{
    g_free(((VgpuStep *) step)->unusable);
}

VgpuClaim *
vgpu_steps_claim(const VgpuStart *self, const VgpuStep *step)
{
    return vgpu_owner_find(vgpu_records_find(self->manager, self->key), step->want->uuid);
}

bool
vgpu_steps_is_ready(const VgpuStart *self, const VgpuStep *step)
{
    const VgpuClaim *claim = vgpu_steps_claim(self, step);

    return claim && step->is_begun && claim->wanted == VGPU_WANTED_KEEP &&
           (claim->phase == VGPU_PHASE_READY || claim->phase == VGPU_PHASE_ATTACHING);
}
