"""What a user writes with the public names, for type checkers: nothing they give is Any."""

from datetime import date

import churnml

AS_OF = date(2026, 6, 1)

config = churnml.load_config()
config = churnml.Config()
tables = churnml.simulate("operator", customers=2_000, months=24)
draft = churnml.draft_mapping("operator")
operator = churnml.open_source("operator", threads=2)
validation = churnml.validate(operator, {"churn": {"train_months": 6}})
source = validation.accepted()

meanings = churnml.list_features(source)
features = churnml.build_features(source, AS_OF)
X = features.to_pandas()
data = churnml.build_dataset(source, "churn", ["2026-01-01", date(2026, 2, 1)])
weights = churnml.response_weights(source, data)
folds = churnml.ForwardSplit(3, times=data.times)
windows = churnml.label_sensitivity(source)

classifier = churnml.ChurnClassifier(repeats=1).fit(data.X, data.y, groups=data.groups)
leaving = classifier.predict_proba(data.X)[:, 1]
why = classifier.explain(data.X)
regressor = churnml.SatisfactionRegressor().fit(data.X, data.y)
hazard = churnml.ChurnHazard().fit(data.X, data.y)
effect = churnml.OfferEffect()

logged = churnml.log_model(classifier, data.X, notes="by hand")
trained = churnml.train(source, "churn", until="2026-03-01", config="configs/churn.yaml")
model = churnml.load_model(trained.model_uri or "models/churn")
tested = churnml.evaluate(model, source, as_of=["2026-04-01"][0])
aged = churnml.backtest(source, "churn", months=6)
compared = churnml.compare(model, "models:/churn/1")
promoted = churnml.promote("churn", source, version=2)
undone = churnml.rollback("churn", reason="too high")
past = churnml.history("churn")
exported = churnml.export(model, "models/mine")

scores = churnml.score(source, AS_OF, out="scores", churn_model=model, reasons=3)
called = churnml.contact_list(scores, out="list.csv", lang="zh", top=100)
page = churnml.report(source, AS_OF, out="report.html", scores=scores)
month = churnml.run(source, out="month")
watched = churnml.monitor(source, as_of=AS_OF, months=6)

index = churnml.satisfaction_index(source, as_of=AS_OF, by=["brand", "hall_id"])
quality = churnml.service_quality(source, AS_OF, config={"quality": {"months": 6}})
record = churnml.complaint_record(source, as_of=AS_OF)
plan = churnml.plan_retention(source, as_of=AS_OF, budget=20_000, out="plan")
campaign = churnml.measure_campaign(plan, source)

points = churnml.Extra("points.csv", columns={"points": {"aggregate": "last"}})
extended = churnml.open_source("operator", extra={"loyalty": points})
