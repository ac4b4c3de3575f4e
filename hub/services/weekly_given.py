"""What ended orders gave lately of drugs that are given once a week at most: the check of a new order looks at that, too."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from hub.domain.dose_checks import DAYS_OF_A_WEEK, is_weekly
from hub.domain.doses import DoseState
from hub.domain.drugs import Drug
from hub.domain.duplicates import substance
from hub.domain.identifiers import DrugCode, PatientId
from hub.domain.orders import OrderLine, is_in_force
from hub.domain.weekly_orders import GivenDose
from hub.services.ports import UnitOfWork


def given_weekly(unit: UnitOfWork, drugs: Mapping[DrugCode, Drug], lines: Iterable[OrderLine]) -> Mapping[PatientId, Sequence[GivenDose]]:
    """Return the doses of the last week, by patient, of orders that have ended; looked up only for lines of a drug of weekly dosing."""
    ordered = [(line.patient, line.drug) for line in lines]
    weekly = {code for code in {code for _, code in ordered} if code in drugs and is_weekly(drugs[code])}
    patients = {patient for patient, code in ordered if code in weekly}
    found: dict[PatientId, list[GivenDose]] = defaultdict(list)
    since = unit.now - timedelta(days=DAYS_OF_A_WEEK)
    given = unit.doses.where(patient=list(patients), state=DoseState.GIVEN, since=("due", since)) if patients else ()
    for dose in sorted(given, key=lambda dose: (dose.due, dose.id)):
        drug, order = drugs.get(dose.drug), unit.orders.get(dose.order)
        if drug is not None and is_weekly(drug) and order is not None and not is_in_force(order, unit.now):
            found[dose.patient].append(GivenDose(dose.order, substance(drug.inn), dose.due))
    return found
