"""Print the accuracy of mnist.h5 and mnist_dense.h5 over all 10,000 test images, as this engine computes it."""

from mnist_data import HERE, MODELS, parser, report, split

import engine


def main() -> None:
    images, digits = split(parser(__doc__).parse_args().data, "test")
    for name in MODELS:
        path = HERE / f"{name}.h5"
        print(report(path, engine.load_model(path).predict(images, batch_size=256), digits))


if __name__ == "__main__":
    main()
