/* forecast.c (manager.h): what a start would do now, and why */
#include "core/manager-private.h"
#include "core/plan.h"
#include "core/pooling.h"
#include "core/reading.h"
#include "domain/display.h"

void
vgpu_forecast_free(VgpuForecast *self)
{
    g_ptr_array_unref(self->candidates);
    g_free(self->refusal);
    g_free(self->note);
    g_free(self->display);
    g_free(self);
}

/* What this domain has already counts as had. */
static char *
present_note(VgpuManager *self, const VgpuDomain *domain, const VgpuWant *want)
{
    const VgpuClaim *claim = vgpu_owner_find(vgpu_records_find(self, domain->uuid), want->uuid);

    if (!claim && want->uuid)
        claim = vgpu_records_find_persistent(self, want->uuid);
    if (!claim || claim->phase == VGPU_PHASE_FAILED || claim->phase == VGPU_PHASE_RELEASING ||
        claim->index != want->index || !vgpu_claim_fits(claim, want))
        return NULL;
    return g_strdup_printf("has %s on %s already", claim->profile_name, claim->parent);
}

static char *
display_note(const VgpuReading *reading, const VgpuDomain *domain, const VgpuWant *want)
{
    gulong libvirt = reading->snapshot.libvirt;
    char *warning = vgpu_display_warning(domain, want, libvirt);

    return warning ? warning : vgpu_display_absence(domain, want, libvirt);
}

/* Where all that it does not have yet can be together; by index, NULL where there is nothing. */
static GPtrArray *
place_all(const VgpuReading *reading, const GPtrArray *forecasts)
{
    g_autoptr(GPtrArray) wants = g_ptr_array_new();
    g_autoptr(GArray) spots = NULL;
    GPtrArray *parents = g_ptr_array_new();
    guint next = 0;

    for (guint i = 0; i < forecasts->len; i++) {
        const VgpuForecast *forecast = g_ptr_array_index(forecasts, i);

        if (!forecast->note)
            g_ptr_array_add(wants, forecast->want);
    }
    if (wants->len > 1)
        spots = vgpu_placement_together(&reading->snapshot, wants, NULL);
    for (guint i = 0; i < forecasts->len; i++) {
        const VgpuForecast *forecast = g_ptr_array_index(forecasts, i);

        g_ptr_array_add(parents, spots && !forecast->note
                                     ? (gpointer) g_array_index(spots, VgpuSpot, next).parent
                                     : NULL);
        next += !forecast->note;
    }
    return parents;
}

/* The one that is to be taken, on @parent if that is given. */
static const VgpuCandidate *
choose(const VgpuReading *reading, const VgpuForecast *forecast, const VgpuParent *parent)
{
    for (guint i = 0; parent && i < forecast->candidates->len; i++) {
        VgpuCandidate *candidate = g_ptr_array_index(forecast->candidates, i);

        if (candidate->verdict == VGPU_VERDICT_FITS &&
            vgpu_gpu_find_parent(candidate->gpu, parent->address))
            return candidate;
    }
    return vgpu_placement_choose(&reading->snapshot, forecast->candidates,
                                 forecast->want->placement);
}

static void
judge(VgpuReading *reading, VgpuForecast *forecast, const VgpuParent *parent)
{
    g_autoptr(GError) error = NULL;

    forecast->candidates = vgpu_placement_candidates(&reading->snapshot, forecast->want);
    if (forecast->note)
        return;
    forecast->chosen = choose(reading, forecast, parent);
    if (forecast->chosen) { /* the next one comes after it */
        vgpu_reading_take(reading, forecast->want, forecast->chosen->parent->address,
                          forecast->chosen->profile->id);
        return;
    }
    vgpu_placement_explain(forecast->candidates, forecast->want, &error);
    forecast->refusal = vgpu_error_text(error);
}

/* What its pools or its annotation rule out before any GPU is looked at. */
static void
refuse_all(GPtrArray *forecasts, const GError *error)
{
    for (guint i = 0; i < forecasts->len; i++) {
        VgpuForecast *forecast = g_ptr_array_index(forecasts, i);

        forecast->candidates = g_ptr_array_new();
        forecast->refusal = vgpu_error_text(error);
    }
}

GPtrArray *
vgpu_manager_explain(VgpuManager *self, VgpuDomain *domain)
{
    GPtrArray *forecasts = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_forecast_free);
    g_autoptr(VgpuReading) reading = NULL;
    g_autoptr(GPtrArray) parents = NULL;
    g_autoptr(GError) error = NULL;

    (void) vgpu_manager_inventory(self);
    for (guint i = 0; i < domain->wants->len; i++) {
        VgpuForecast *forecast = g_new0(VgpuForecast, 1);

        forecast->want = g_ptr_array_index(domain->wants, i);
        g_ptr_array_add(forecasts, forecast);
    }
    if (!vgpu_pooling_complete(self, domain, &error)) {
        refuse_all(forecasts, error);
        return forecasts;
    }
    reading = vgpu_reading_new(self, domain, domain->uuid, NULL);
    for (guint i = 0; i < forecasts->len; i++) {
        VgpuForecast *forecast = g_ptr_array_index(forecasts, i);
        const VgpuHostdev *hostdev = vgpu_domain_find_ours(domain, forecast->want->index);

        if (hostdev && domain->uuid)
            (void) !vgpu_plan_take_hostdev(self, domain, hostdev, forecast->want);
        forecast->note = present_note(self, domain, forecast->want);
        vgpu_display_find(forecast->want, self->inventory);
        forecast->display = display_note(reading, domain, forecast->want);
    }
    parents = place_all(reading, forecasts);
    for (guint i = 0; i < forecasts->len; i++)
        judge(reading, g_ptr_array_index(forecasts, i), g_ptr_array_index(parents, i));
    return forecasts;
}
