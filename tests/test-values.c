#include "test.h"

#include <glib.h>

#include "cli/values.h"

static void
test_values(void **state)
{
    static const struct {
        const char *what;
        const char *description;
        const char *want;
    } cases[] = {
        { "two", "on or off: a limit", "on off" },
        { "two that end it", "json or text", "json text" },
        { "three", "pack, spread or numa [pack]", "pack spread numa" },
        { "hyphens and digits", "best-effort or a-2", "best-effort a-2" },
        { "remarks are skipped", "start (and gone) or define (kept while off)", "start define" },
        { "a list without \"or\"", "a, b, c; and more", "a b c" },
        { "a sentence", "only on this GPU", NULL },
        { "a sentence with \"or\"", "how many virtual functions, or max [max]", NULL },
        { "a sentence that goes on behind two values", "yes or no in lower case", NULL },
        { "one value is none to choose", "max [max]", NULL },
        { "nothing", "", NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = vgpu_option_values(cases[i].description);

        if (g_strcmp0(got, cases[i].want) != 0)
            fail_msg("%s: %s, expected %s", cases[i].what, got, cases[i].want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_values) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
