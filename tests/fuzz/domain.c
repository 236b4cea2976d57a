/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A domain's XML, and everything that is done with it: parse, inject, filter, annotate, import, lint. */
#include "fuzz.h"

#include <string.h>

#include "base/names.h"
#include "domain/annotate.h"
#include "domain/disk.h"
#include "domain/filter.h"
#include "domain/import.h"
#include "domain/inject.h"
#include "domain/schema.h"

#define NEW 11003000 /* a libvirt that can do everything */
#define ISO "/srv/driver.iso"

static VgpuDomain *
parse(const char *xml, GError **error)
{
    return vgpu_domain_parse(xml, strlen(xml), NULL, error);
}

/* Choose places, as the manager would. */
static void
bind(VgpuDomain *domain, guint way)
{
    static const char *const vfs[] = { "0000:61:00.4", "0000:61:00.5", "0000:03:00.2" };

    for (guint i = 0; i < domain->wants->len; i++) {
        VgpuWant *want = domain->wants->pdata[i];

        if (want->uuid_is_users || i >= G_N_ELEMENTS(vfs))
            continue;
        want->interface = way == 0   ? VGPU_INTERFACE_MDEV
                          : way == 1 ? VGPU_INTERFACE_VENDOR_VFIO
                                     : VGPU_INTERFACE_VF;
        if (way > 0)
            want->vf = g_strdup(vfs[i]);
    }
    if (way != 1)
        domain->driver_iso = g_strdup(ISO);
}

static void
check_wants(const VgpuDomain *domain)
{
    FUZZ_CHECK(domain->wants->len <= VGPU_COUNT_MAX, "%u devices", domain->wants->len);
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = domain->wants->pdata[i];

        FUZZ_CHECK(want->index == i, "%u", want->index);
        FUZZ_CHECK(!want->params || strlen(want->params) <= 1024, "parameters of %zu bytes",
                   strlen(want->params));
        for (const char *c = want->params; c && *c; c++)
            FUZZ_CHECK(*c > ' ' && *c < 0x7f, "parameters '%s'", want->params);
        for (char **profile = want->profiles; profile && *profile; profile++)
            FUZZ_CHECK(fuzz_is_printable(*profile) && !strchr(*profile, '\n'),
                       "a profile's name");
    }
}

/* A change to a definition is complete: a second look finds nothing to change. */
static void
inject(const guint8 *data, gsize size, guint way)
{
    g_autoptr(VgpuDomain) domain = vgpu_domain_parse((const char *) data, size, NULL, NULL);
    g_autoptr(VgpuDomain) after = NULL;
    g_autoptr(GPtrArray) changes = NULL, left = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *aside = NULL, *aim = NULL, *reached = NULL, *out = NULL;

    bind(domain, way);
    changes = vgpu_inject_plan(domain, NEW, &error);
    fuzz_outcome(changes != NULL, error);
    if (!changes)
        return;
    aside = vgpu_inject_set_aside(domain, changes);
    aim = vgpu_inject_aim(domain, NEW);
    out = vgpu_inject_apply(domain, changes);
    after = parse(out, &error);
    FUZZ_CHECK(after, "%s\n%s", error ? error->message : "", out);
    bind(after, way);
    left = vgpu_inject_plan(after, NEW, &error);
    FUZZ_CHECK(left, "%s\n%s", error ? error->message : "", out);
    FUZZ_CHECK(left->len == 0, "again: %s\n%s", ((VgpuChange *) left->pdata[0])->text, out);
    reached = vgpu_inject_aim(after, NEW);
    FUZZ_CHECK(g_str_equal(aim, reached), "%s\n%s", aim, reached);
    FUZZ_CHECK(vgpu_disk_is_right(after), "%s", out);
}

static void
filter(const guint8 *data, gsize size, guint way)
{
    g_autoptr(VgpuDomain) domain = vgpu_domain_parse((const char *) data, size, NULL, NULL);
    g_autoptr(VgpuDomain) after = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *out = NULL, *again = NULL, *lost = NULL, *nothing = NULL;
    bool done;

    bind(domain, way);
    done = vgpu_filter_domain(domain, NEW, &out, &lost, &error);
    fuzz_outcome(done, error);
    if (!out)
        return;
    after = parse(out, &error);
    FUZZ_CHECK(after, "%s\n%s", error ? error->message : "", out);
    FUZZ_CHECK(after->hostdevs->len == domain->hostdevs->len, "%s", out);
    bind(after, way);
    FUZZ_CHECK(vgpu_filter_domain(after, NEW, &again, &nothing, &error) && !again, "%s\n%s", out,
               again);
}

/* Add another device to the annotation, and remove it again. */
static void
annotate(const VgpuDomain *domain)
{
    const VgpuAnnotateOptions options = { .profile = "NVIDIA A2-4Q", .display = "off" };
    g_autofree char *old = vgpu_annotate_extract(domain);
    g_autofree char *more = NULL, *less = NULL;
    g_autoptr(GError) error = NULL;
    guint n = domain->wants->len;

    FUZZ_CHECK((old != NULL) == domain->annotated, "an annotation");
    more = vgpu_annotate_append(old, &options, &error);
    fuzz_outcome(more != NULL, error);
    FUZZ_CHECK(more || n == VGPU_COUNT_MAX || error->code == VGPU_ERROR_BAD_REQUEST, "%s",
               error->message);
    if (!more)
        return;
    FUZZ_CHECK(vgpu_annotate_remove(more, n, &less, &error), "%s\n%s", error->message, more);
    FUZZ_CHECK((less != NULL) == (n > 0), "%s", less);
}

static void
strip(const guint8 *data, gsize size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) changes = NULL;
    g_autofree char *out = vgpu_annotate_strip((const char *) data, size, NULL, &changes, &error);
    g_autoptr(VgpuDomain) after = NULL;

    fuzz_outcome(out != NULL, error);
    if (!out)
        return;
    after = parse(out, &error);
    FUZZ_CHECK(after && !after->annotated && after->wants->len == 0, "%s\n%s",
               error ? error->message : "annotated", out);
    for (guint i = 0; i < after->hostdevs->len; i++)
        FUZZ_CHECK(((VgpuHostdev *) after->hostdevs->pdata[i])->index < 0, "%s", out);
}

static void
rewrite(const guint8 *data, gsize size)
{
    const VgpuAnnotateOptions options = { .profile = "NVIDIA A2-4Q",
                                          .count = 2,
                                          .domain_uuid = "6f0c5c1e-7a0b-4b57-9c1d-3b1f0a7c9e10" };
    g_autoptr(GError) error = NULL;
    g_autofree char *out =
        vgpu_annotate_document((const char *) data, size, NULL, &options, &error);
    g_autoptr(VgpuDomain) after = NULL;

    fuzz_outcome(out != NULL, error);
    if (!out)
        return;
    after = parse(out, &error);
    FUZZ_CHECK(after && after->wants->len == 2 && after->uuid, "%s\n%s",
               error ? error->message : "", out);
}

static void
import(const VgpuDomain *domain, const guint8 *data, gsize size, guint way)
{
    g_autofree char *xml = fuzz_text(data, size);
    VgpuImportDevice device = { .profile = "nvidia-746", .gpu = "0000:41:00.0" };
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuImport) plan = NULL;
    g_autoptr(VgpuDomain) after = NULL;

    while (device.hostdev < domain->hostdevs->len &&
           !vgpu_import_is_candidate(domain, domain->hostdevs->pdata[device.hostdev]))
        device.hostdev++;
    if (device.hostdev == domain->hostdevs->len || strlen(xml) != size)
        return;
    if (way && !((VgpuHostdev *) domain->hostdevs->pdata[device.hostdev])->uuid)
        device.interface = way == 1 ? VGPU_INTERFACE_VENDOR_VFIO : VGPU_INTERFACE_VF;
    plan = vgpu_import_plan(xml, NULL, &device, 1, NEW, &error);
    fuzz_outcome(plan != NULL, error);
    if (!plan)
        return;
    after = parse(plan->after, &error);
    FUZZ_CHECK(after && after->annotated, "%s\n%s", error ? error->message : "", plan->after);
}

static void
lint(const VgpuDomain *domain)
{
    g_autoptr(GPtrArray) lints = vgpu_lint_domain(domain, NULL);

    for (guint i = 0; i < lints->len; i++)
        FUZZ_CHECK(fuzz_is_printable(((VgpuLint *) lints->pdata[i])->text), "a finding");
}

/* A scan of the XML without parsing it agrees with the parser. */
static void
peek(const VgpuDomain *domain, const guint8 *data, gsize size)
{
    const char *xml = (const char *) data;
    g_autofree char *uuid = vgpu_domain_peek_uuid(xml, size);
    int id = -1;

    FUZZ_CHECK(!uuid || strlen(uuid) == 36, "%s", uuid);
    (void) !vgpu_domain_peek_id(xml, size, &id);
    if (domain && !memchr(xml, '&', size) && (domain->annotated || domain->wants->len))
        FUZZ_CHECK(vgpu_domain_is_marked(xml, size), "an annotation that the hook does not see");
}

FUZZ_TARGET(domain)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuDomain) domain = vgpu_domain_parse((const char *) data, size, NULL, &error);
    guint way = fuzz_pick(data, size, 3);

    fuzz_outcome(domain != NULL, error);
    FUZZ_CHECK(!error || strlen(error->message) < 2048, "%s", error->message);
    peek(domain, data, size);
    strip(data, size);
    rewrite(data, size);
    if (!domain)
        return;
    check_wants(domain);
    lint(domain);
    (void) vgpu_domain_hotplug_slots(domain);
    annotate(domain);
    import(domain, data, size, way);
    inject(data, size, way);
    filter(data, size, way);
}
