"""One fit by a peer, timed: what `cargo xtask bench` runs beside ours in one run.

usage: peers.py TASK FILE N_ROWS N_COLUMNS THREADS

FILE holds rows of N_COLUMNS little-endian doubles; the last two are the binary and the regression
target, labels are the numbers of their levels, missing is NaN. The first four fifths of the rows
are fitted on. Prints one JSON object: peer, seconds, figure (AUC or R2 on the other rows).
"""

import json
import os
import sys
import time

task, path, n_rows, n_columns, threads = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(threads)

import numpy as np

table = np.fromfile(path, dtype="<f8").reshape(n_rows, n_columns)
X, y_bin, y_reg = np.ascontiguousarray(table[:, :-2]), table[:, -2], table[:, -1]
n_train = n_rows * 4 // 5
filled = None
if task not in ("boosting", "forest"):
    mean = np.nanmean(X[:n_train], axis=0)
    deviation = np.nanstd(X[:n_train], axis=0)
    filled = (np.where(np.isnan(X), mean, X) - mean) / deviation


def boosting():
    import lightgbm

    data = lightgbm.Dataset(X[:n_train], y_bin[:n_train])
    params = {
        "objective": "binary", "num_leaves": 63, "learning_rate": 0.1, "max_bin": 255,
        "min_data_in_leaf": 20, "num_threads": threads, "verbose": -1,
    }
    model = lightgbm.train(params, data, 100)
    return f"lightgbm {lightgbm.__version__}", lambda: model.predict(X[n_train:])


def scikit(model, y, predict):
    import sklearn

    model.fit(filled[:n_train], y[:n_train])
    return f"scikit-learn {sklearn.__version__}", lambda: predict(model)


def probability(model):
    return model.predict_proba(filled[n_train:])[:, 1]


def value(model):
    return model.predict(filled[n_train:])


def forest():
    import sklearn
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(20, n_jobs=threads, random_state=0)
    model.fit(X[:n_train], y_bin[:n_train])
    name = f"scikit-learn {sklearn.__version__}"
    return name, lambda: model.predict_proba(X[n_train:])[:, 1]


def ordinary():
    from sklearn.linear_model import LinearRegression

    return scikit(LinearRegression(), y_reg, value)


def ridge():
    from sklearn.linear_model import Ridge

    return scikit(Ridge(), y_reg, value)


def logistic():
    from sklearn.linear_model import LogisticRegression

    return scikit(LogisticRegression(), y_bin, probability)


def network(activation="relu"):
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier((100,), activation, max_iter=5, n_iter_no_change=100, random_state=0)
    return scikit(model, y_bin, probability)


def network_tanh():
    return network("tanh")


def network_logistic():
    return network("logistic")


def auc(truth, scores):
    from sklearn.metrics import roc_auc_score

    return roc_auc_score(truth, scores)


def r2(truth, scores):
    return 1 - ((truth - scores) ** 2).sum() / ((truth - truth.mean()) ** 2).sum()


def main():
    import warnings

    warnings.simplefilter("ignore")
    import sklearn.metrics  # before the clock starts
    if task == "boosting":
        import lightgbm  # noqa: F401
    else:
        import sklearn.ensemble, sklearn.linear_model, sklearn.neural_network  # noqa: E401, F401

    start = time.perf_counter()
    peer, predict = globals()[task]()
    seconds = time.perf_counter() - start
    is_number = task in ("ordinary", "ridge")
    figure = r2(y_reg[n_train:], predict()) if is_number else auc(y_bin[n_train:], predict())
    print(json.dumps({"by": peer, "seconds": seconds, "figure": float(figure)}))


main()
