"""The company that the plant simulates: its organisations, sites, people, machines and words."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Organisation:
    """What one token reads."""

    id: int
    name: str
    time_zone: str
    currency: str


@dataclass(frozen=True, slots=True)
class Site:
    """A plant inside an organisation, and how well its maintenance is run."""

    id: str
    organisation_id: int
    root_location_id: int
    name: str
    time_zone: str
    address: str
    assets: int  # at scale 1
    users: int
    locations: int
    parts: int
    plans: int  # preventive tasks, at scale 1
    failures_a_day: float
    late_share: float  # of preventive orders
    labour_share: float  # of preventive orders that get time entries
    hourly_rate: int  # cents


ORGANISATIONS = (
    Organisation(101, "Northfield Foods", "America/Chicago", "USD"),
    Organisation(102, "Deccan Packaging", "Asia/Kolkata", "INR"),
)
SITES = (
    Site("austin", 101, 5001, "Austin", "America/Chicago", "2100 Metric Blvd, Austin, TX", 135, 48, 38, 740, 166, 1.75, 0.10, 0.18, 4200),
    Site("porto", 101, 5002, "Porto", "Europe/Lisbon", "Rua da Fábrica 12, Porto", 75, 28, 22, 400, 92, 0.95, 0.17, 0.11, 2600),
    Site("pune", 102, 5101, "Pune", "Asia/Kolkata", "Plot 7, MIDC Bhosari, Pune", 90, 46, 32, 508, 114, 1.2, 0.13, 0.16, 62000),
)

BUILDINGS = ("Hall A", "Hall B", "Utilities", "Warehouse", "Cold store", "Yard")
AREAS = (
    "Line 1",
    "Line 2",
    "Line 3",
    "Packaging",
    "Mixing",
    "Boiler room",
    "Compressor room",
    "Dock",
    "Lab",
    "Workshop",
    "Roof",
    "CIP station",
)

# name, type labels, manufacturer, how often it fails beside the others, parts it is made of
MACHINES: tuple[tuple[str, tuple[str, ...], str, float, tuple[str, ...]], ...] = (
    ("Filler", ("Filler",), "Krones", 1.6, ("Gripper", "Dosing valve")),
    ("Conveyor", ("Conveyor",), "Interroll", 1.2, ("Drive motor", "Belt")),
    ("Palletiser", ("Palletiser", "Robot"), "KUKA", 1.3, ("Servo axis",)),
    ("Oven", ("Oven",), "Bühler", 0.9, ("Burner",)),
    ("Compressor", ("Compressor", "Utility"), "Atlas Copco", 0.8, ("Dryer",)),
    ("Boiler", ("Boiler", "Utility"), "Viessmann", 0.6, ("Feed pump",)),
    ("Chiller", ("Chiller", "HVAC"), "Daikin", 0.8, ("Condenser fan",)),
    ("Pump", ("Pump",), "Grundfos", 0.9, ()),
    ("Mixer", ("Mixer",), "Silverson", 0.8, ("Gearbox",)),
    ("Forklift", ("Vehicle",), "Linde", 1.1, ()),
    ("Wrapper", ("Packaging machine",), "Multivac", 1.5, ("Sealing jaw",)),
    ("Air handler", ("HVAC",), "Carrier", 0.4, ()),
)

FIRST_NAMES = (
    "Ana", "Ben", "Carla", "Dev", "Elena", "Farid", "Grace", "Hugo", "Ines", "Jamal", "Kavya", "Luis", "Maria", "Nikhil", "Olga", "Pedro",
    "Rita", "Sanjay", "Tess", "Uma", "Víctor", "Wes", "Xin", "Yusuf", "Zoë", "Asha", "João", "Møller", "Conceição", "Łukasz",
)  # fmt: skip
LAST_NAMES = (
    "Alvarez", "Banerjee", "Costa", "Deshpande", "Evans", "Ferreira", "Garcia", "Hughes", "Iyer", "Johnson", "Kulkarni", "Lopes", "Miller",
    "Nair", "O'Brien", "Pereira", "Quinn", "Rao", "Silva", "Taylor", "Usman", "Vaz", "Walker", "Xavier", "Young", "Zamora",
)  # fmt: skip
TEAMS = ("Mechanical", "Electrical", "Utilities", "Reliability", "Night shift")
CATEGORIES = (
    "Preventive", "Mechanical", "Electrical", "Safety", "Inspection", "Lubrication", "Cleaning", "Calibration", "Damage", "Project",
    "Réfrigération", "HVAC", "Standard Operating Procedure", "=Quality", "Instrumentation", "Building, grounds", "Other",
)  # fmt: skip
CRITICALITIES = ("Low", "Medium", "High")  # of level 1, 2, 3
VENDORS = ("Acme Industrial", "Bearings & Belts", "CoolTech", "Delta Automation", "Everbright Electric", "FastParts GmbH", 'Global "Seals"')
PARTS = (
    "Bearing 6204", "V-belt A42", "O-ring kit", "Proximity sensor", "Gearbox oil 5 L", "Air filter", "Fuse 10 A", "Solenoid valve",
    "Grease cartridge", "Coupling", "Motor 1.5 kW", "Thermocouple K", "Seal set", "Chain link", "Contactor", "PLC battery",
)  # fmt: skip
TASKS = (
    ("Inspect", "Inspection"), ("Lubricate", "Lubrication"), ("Clean", "Cleaning"), ("Calibrate", "Calibration"),
    ("Test guards of", "Safety"),
    ("Replace filters of", "Preventive"), ("Check belts of", "Mechanical"), ("Thermal scan of", "Electrical"), ("Service", "Preventive"),
)  # fmt: skip
FAULTS = (
    ("does not start", "Electrical"), ("leaks oil", "Mechanical"), ("vibrates", "Mechanical"), ("trips the breaker", "Electrical"),
    ("is jammed", "Damage"), ("overheats", "Réfrigération"), ("shows a sensor fault", "Instrumentation"), ("makes a noise", "Mechanical"),
    ("lost pressure", "Other"), ("stopped: emergency stop", "Safety"),
)  # fmt: skip
JOBS = (
    "Paint the floor of", "Move racking near", "Install a guard at", "Audit labels of", "Tidy up around", "Fit lights above", "Kaizen at"
)  # fmt: skip
CAUSES = ("Wear", "Misuse", "No lubrication", "Power quality", "Design")
# Labels that real customers type: quotes, symbols, other scripts, words that are reserved somewhere.
ORDER_FIELDS = ("Cost Center (€)", 'Root "cause"', "Linha / Línea", "__proto__", "=SUM(A1)", "Permit no.", "रखरखाव", "status")
ASSET_FIELDS = ("Criticality class", "Warranty until", "Voltage [V]", "Asset tag #")
LOCATION_FIELDS = ("Cost center", "GPS")
