"""What Driftline asks of its own detectors and metrics, asked of these."""

from scipy.stats import chi2_contingency
from sklearn.metrics import recall_score

from driftline.detectors.testing import Case, DetectorContract, Figures, MetricContract, Pairs


class TestGTest(DetectorContract):
    names = ("g_test",)

    def oracle(self, name: str, case: Case) -> Figures:
        found = chi2_contingency([case.r, case.w], correction=False, lambda_="log-likelihood")
        return float(found.statistic), float(found.pvalue)


class TestSpecificity(MetricContract):
    names = ("specificity",)

    def oracle(self, name: str, pairs: Pairs) -> float:
        return float(recall_score(pairs.actual, pairs.predicted, pos_label=0))
