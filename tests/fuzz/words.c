/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The small grammars, one line of input each: addresses, UUIDs, profiles, schedulers, MIG layouts, sets, cordons. */
#include "fuzz.h"

#include <string.h>

#include "base/grammar.h"
#include "base/pciaddr.h"
#include "base/printable.h"
#include "base/uuid.h"
#include "cli/guess.h"
#include "domain/domain.h"
#include "gpu/cordon.h"
#include "gpu/profile.h"
#include "gpu/vendor.h"
#include "setup/mig.h"
#include "setup/scheduler.h"

static void
check_addresses(const char *text)
{
    g_autofree char *address = vgpu_pciaddr_canonical(text);
    g_autofree char *uuid = vgpu_uuid_canonical(text), *from_xml = vgpu_uuid_from_xml(text);

    FUZZ_CHECK((address != NULL) == vgpu_grammar_is_pci_address(text), "'%s'", text);
    if (address) {
        g_autofree char *again = vgpu_pciaddr_canonical(address);
        g_autofree char *nodedev = vgpu_pciaddr_nodedev(address);
        g_autofree char *back = vgpu_pciaddr_canonical(nodedev);

        FUZZ_CHECK(g_strcmp0(address, again) == 0 && g_strcmp0(address, back) == 0, "'%s': %s",
                   text, address);
        FUZZ_CHECK(strspn(address, "0123456789abcdef:.") == strlen(address), "%s", address);
    }
    if (uuid) {
        FUZZ_CHECK(strlen(uuid) == 36 && strspn(uuid, "0123456789abcdef-") == 36, "%s", uuid);
        FUZZ_CHECK(g_strcmp0(uuid, from_xml) == 0, "'%s': %s", text, from_xml);
    }
    FUZZ_CHECK(!from_xml || (strlen(from_xml) == 36 && vgpu_grammar_is_uuid(from_xml)), "%s",
               from_xml);
}

static void
check_profile(const char *text, const char *description)
{
    g_autoptr(VgpuProfile) profile = vgpu_profile_new(text, description);
    g_autoptr(VgpuProfile) copy = NULL;

    vgpu_profile_describe(profile, description);
    vgpu_profile_guess(profile);
    copy = vgpu_profile_copy(profile);
    FUZZ_CHECK(copy->fb_mib == profile->fb_mib, "%u", copy->fb_mib);
    FUZZ_CHECK(!*text || vgpu_profile_matches(profile, text), "'%s' is not itself", text);
    FUZZ_CHECK(!vgpu_profile_series(profile) || vgpu_profile_purpose(profile), "%s", text);
    (void) vgpu_profile_is_mig(profile);
    (void) vgpu_profile_license(profile);
    (void) vgpu_profile_max_per_domain(profile);
}

static void
check_scheduler(char **words)
{
    VgpuScheduler scheduler = { .policy = VGPU_SCHEDULER_BEST_EFFORT };
    g_autoptr(GError) error = NULL;
    g_autofree char *line = NULL;
    bool good = vgpu_scheduler_parse((const char *const *) words, &scheduler, &error);

    fuzz_outcome(good, error);
    g_clear_error(&error);
    if (!good)
        return;
    good = vgpu_scheduler_validate(&scheduler, false, &error);
    fuzz_outcome(good, error);
    if (!good)
        return;
    (void) vgpu_scheduler_encode(&scheduler);
    line = vgpu_scheduler_modprobe("0000:41:00.0", &scheduler);
    FUZZ_CHECK(fuzz_is_printable(line) && !strchr(line, '\n'), "%s", line);
    FUZZ_CHECK(vgpu_scheduler_is(&scheduler, &scheduler), "%s", line);
}

static void
check_mig(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) wants = vgpu_mig_parse(text, NULL, &error);

    fuzz_outcome(wants != NULL, error);
}

static void
check_text(const char *text)
{
    static const char *const names[] = { "list", "gpu-list", "pool-list", "attach", NULL };
    g_autofree char *guessed = vgpu_guess_words(text, names);
    guint64 set = 0;

    FUZZ_CHECK(!guessed || *guessed, "'%s'", text);
    (void) vgpu_guess(text, names);
    if (vgpu_grammar_is_name(text))
        FUZZ_CHECK(*text && vgpu_printable_is(text), "'%s'", text);
    FUZZ_CHECK(!vgpu_grammar_is_number(text, 1, 16) || atoi(text) <= 16, "'%s'", text);
    FUZZ_CHECK(vgpu_domain_parse_alias(text) >= -1, "'%s'", text);
    (void) vgpu_domain_parse_set(text, &set);
    (void) vgpu_vendor_is_bmc(text);
    (void) vgpu_vendor_is_nvidia(text);
    if (vgpu_cordon_is_reason(text))
        FUZZ_CHECK(!strchr(text, '\n'), "'%s'", text);
}

FUZZ_TARGET(words)
{
    g_autofree char *text = fuzz_utf8(data, size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", 64);

    for (gsize i = 0; lines[i]; i++) {
        check_addresses(lines[i]);
        check_profile(lines[i], lines[i + 1] ? lines[i + 1] : "");
        check_mig(lines[i]);
        check_text(lines[i]);
    }
    check_scheduler(lines);
}
