"""One module a page: TITLE, ICON, ORDER and render(selection); a module added here is in the navigation."""

import importlib
import pkgutil
from types import ModuleType


def name(view: ModuleType) -> str:
    """Return a page's name in the URL."""
    return view.__name__.rsplit(".", 1)[-1]


def all_views() -> list[ModuleType]:
    """Return the pages in their order."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    return sorted((importlib.import_module(f"{__name__}.{name}") for name in names), key=lambda view: view.ORDER)
