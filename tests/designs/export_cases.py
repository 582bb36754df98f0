"""The forms whose exported scripts lavaan has fitted: run as a module to write the scripts anew."""

from __future__ import annotations

from tests.designs.panel_records import REFERENCE, exported_records

from bothways.designs.panel.export import export_syntax
from bothways.designs.panel.models import Form
from bothways.designs.panel.setup import PanelSetup, prepare

UNEVEN = (0, 90, 270, 330)


def cases() -> dict[str, tuple[PanelSetup, Form]]:
    """Set-up and form by the name of the script."""
    plain = prepare(exported_records())
    adjusted = prepare(exported_records(covariates=("age", "sex")))
    three = prepare(exported_records(covariates=("sleep",)))
    clustered = prepare(exported_records(cluster="clinic"))
    uneven = prepare(exported_records(days=UNEVEN))
    return {
        "ri_clpm_equal": (plain, Form("ri-clpm")),
        "ri_clpm_free": (plain, Form("ri-clpm", "free")),
        "ri_clpm_covariates": (adjusted, Form("ri-clpm")),
        "ri_clpm_three": (three, Form("ri-clpm")),
        "ri_clpm_clusters": (clustered, Form("ri-clpm")),
        "ri_clpm_uneven": (uneven, Form("ri-clpm", "drift")),
        "clpm_equal": (plain, Form("clpm")),
        "dpm_equal": (plain, Form("dpm")),
        "dpm_covariates": (adjusted, Form("dpm")),
        "lcm_sr_equal": (plain, Form("lcm-sr")),
    }


def write() -> None:
    """Write every script to tests/reference/exported."""
    for name, (setup, form) in cases().items():
        (REFERENCE / "exported" / f"{name}.R").write_text(export_syntax(setup, form, "lavaan"))


if __name__ == "__main__":
    write()
