"""The panel design: a few common waves of many people."""

from bothways.designs.panel.design import PanelDesign

__all__ = ["PanelDesign"]
