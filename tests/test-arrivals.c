/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events of domains that migrate to this host, or from it to another one. */
#include "test.h"

#include <string.h>

#include "manager-host.h"

#define HERE "vgpu-migrating " HOST_WEB1_0 " to this host\n"
#define ARRIVED "vgpu-migrated " HOST_WEB1_0 " to this host\nmigration in ok\n"
#define REFUSED "migration in refused\nmigration-refused\n"
#define IN_FAILED "migration in failed\n"
#define LEAVING "vgpu-migrating  to another host\n"
#define LEFT "vgpu-migrated  to another host 1500 ms 3145728 bytes\nmigration out ok\n"
#define LEFT_FREE "vgpu-migrated  to another host\nmigration out ok\n"
#define OUT_FAILED "migration out failed\n"
#define TOO_BIG "<vgpu:device profile='A2-99Q'/>"
#define NO_POOL HOST_DEVICE("pool='none'")

static void
run_filter(Host *host, const char *devices, bool migrates)
{
    g_autofree char *xml = host_xml("web1", HOST_WEB1, devices, 1);
    g_autoptr(VgpuDomain) domain = host_domain(xml);
    g_autoptr(GError) error = NULL;
    g_autofree char *out = NULL;

    (void) !vgpu_manager_filter(host->manager, domain, migrates, &out, &error);
}

static void
run_prepare(Host *host, const char *devices)
{
    g_autofree char *xml = host_xml("web1", HOST_WEB1, devices, 1);
    g_autofree char *refused = host_start(host, xml);

    (void) refused;
}

static void
run_define(Host *host)
{
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);

    vgpu_manager_take_definition(host->manager, host_domain(xml), false);
}

/* A letter of what libvirt does. */
static void
run_step(Host *host, char step)
{
    switch (step) {
    case 'm': /* the hook migrate */
        run_filter(host, HOST_DEVICE(), true);
        break;
    case 'M': /* of a domain that cannot be here */
        run_filter(host, NO_POOL, true);
        break;
    case 's': /* the hook restore */
        run_filter(host, HOST_DEVICE(), false);
        break;
    case 'S':
        run_filter(host, NO_POOL, false);
        break;
    case 'p': /* prepare */
        run_prepare(host, HOST_DEVICE());
        break;
    case 'P':
        run_prepare(host, TOO_BIG);
        break;
    case 'r': /* release */
        host_release(host, HOST_WEB1);
        break;
    case 'R': /* RESUMED_MIGRATED */
        vgpu_manager_resumed(host->manager, HOST_WEB1);
        break;
    case 'i': /* the first iteration of a migration to another host */
        vgpu_manager_departing(host->manager, HOST_WEB1, false);
        break;
    case 'w': /* SUSPENDED_MIGRATED */
        vgpu_manager_departing(host->manager, HOST_WEB1, true);
        break;
    case 'c': /* JOB_COMPLETED */
        vgpu_manager_departure_cost(host->manager, HOST_WEB1, 1500, 3 << 20);
        break;
    case '~': /* longer than that takes to come */
        host_run(host, 2200);
        break;
    case 'd':
        run_define(host);
        break;
    case 'D': /* STOPPED_MIGRATED */
        vgpu_manager_departed(host->manager, HOST_WEB1);
        break;
    case '.': /* longer than a prepare takes to come */
        host_run(host, 30);
        break;
    default:
        fail_msg("%c", step);
    }
}

/* The events about migrations and refusals, the latter without their reasons, and what is counted. */
static char *
events(const Host *host)
{
    g_auto(GStrv) lines = g_strsplit(host->log->str, "\n", -1);
    GString *text = g_string_new(NULL);

    for (char **line = lines; *line; line++) {
        if (strstr(*line, "-refused "))
            g_string_append_printf(text, "%.*s\n", (int) strcspn(*line, " "), *line);
        else if (g_str_has_prefix(*line, "vgpu-migrat") || g_str_has_prefix(*line, "migration "))
            g_string_append_printf(text, "%s\n", *line);
    }
    return g_string_free(text, FALSE);
}

static void
test_events(void **state)
{
    static const struct {
        const char *what;
        const char *steps;
        const char *events;
    } cases[] = {
        { "it arrives", "mpR", HERE ARRIVED },
        { "and is resumed once more", "mpRR", HERE ARRIVED },
        { "it is aborted", "mprR", HERE IN_FAILED },
        { "and comes again", "mprmpR", HERE IN_FAILED HERE ARRIVED },
        { "there is no such profile here", "mP", REFUSED },
        { "and then it is started here", "mPP", REFUSED "start-refused\n" },
        { "its save cannot be restored", "S", "" },
        { "that was already said to the hook migrate", "M", REFUSED },
        { "its prepare did not come", "m.p", "" },
        { "nor did its refused one", "m.P", "start-refused\n" },
        { "an ordinary start", "pR", "" },
        { "a restored domain", "spR", "" },
        { "a restored domain, refused", "sP", "start-refused\n" },
        { "it leaves", "piwrDc", LEAVING LEFT },
        { "the job of its first iteration could not be read", "pwrDc", LEAVING LEFT },
        { "nothing was said before", "dprDc", LEFT },
        { "nothing of it is left when it has gone", "pirDc", LEAVING LEFT },
        { "the first iteration is told late", "pwirDc", LEAVING LEFT },
        { "its cost is told twice", "piDcc", LEAVING LEFT },
        { "its cost is not told", "piD~", LEAVING LEFT_FREE },
        { "its cost is told too early", "picD~", LEAVING LEFT_FREE },
        { "it has nothing of ours", "iwDc~", "" },
        { "it does not leave after all", "piwR", LEAVING OUT_FAILED },
        { "and is resumed once more", "piwRR", LEAVING OUT_FAILED },
        { "it stays, unnoticed, and leaves later", "piiwDc", LEAVING LEAVING LEFT },
        { "it stays, and leaves later", "piwRiwDc", LEAVING OUT_FAILED LEAVING LEFT },
        { "it comes and leaves", "mpRiwrDc", HERE ARRIVED LEAVING LEFT },
    };

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Host) host = host_new();
        g_autofree char *seen = NULL;
        bool waits = strchr(cases[i].steps, '.') != NULL;

        host->manager->lapse_ms = waits ? 10 : 60000;
        for (const char *step = cases[i].steps; *step; step++)
            run_step(host, *step);
        seen = events(host);
        if (!g_str_equal(seen, cases[i].events))
            fail_msg("%s: %s", cases[i].what, seen);
    }
}

/* Domains that do not come are forgotten when another one does. */
static void
test_forgotten(void **state)
{
    g_autoptr(Host) host = host_new();

    (void) state;
    host->manager->lapse_ms = 1;
    for (guint n = 1; n <= 50; n++) {
        g_autofree char *uuid = host_nth_uuid(n);
        g_autofree char *xml = host_xml("web", uuid, HOST_DEVICE(), 1);
        g_autoptr(VgpuDomain) domain = host_domain(xml);
        g_autofree char *out = NULL;

        assert_true(vgpu_manager_filter(host->manager, domain, true, &out, NULL));
        g_usleep(2000);
    }
    assert_int_equal(g_hash_table_size(host->manager->arrivals), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
