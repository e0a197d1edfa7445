"""A linear map of the trend and one of what remains."""

from torch import Tensor, nn
from torch.nn import functional

from glassbench.contracts.schema import Schema
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count
from glassbench_plugins.series.sizes import forecast_of


class DLinear(nn.Module):
    """Splits each channel into a moving average and the rest, and forecasts each by one linear layer.

    All channels share the two layers. Zeng, Chen, Zhang and Xu (2023), "Are Transformers Effective for Time Series
    Forecasting?": a model that many transformers do not beat.

    Args:
        schema: Tells the sizes.
        kernel: Steps of the moving average, odd.
    """

    def __init__(self, schema: Schema, *, kernel: Count = 25) -> None:
        super().__init__()
        shape = forecast_of(schema, "dlinear")
        if kernel < 1 or kernel % 2 == 0:
            raise SettingsError("the moving average needs an odd number of steps", got=str(kernel), where="model.kernel")
        self.reach = kernel // 2
        self.average = nn.AvgPool1d(kernel, stride=1)
        self.trend = nn.Linear(shape.length, shape.output[0])
        self.rest = nn.Linear(shape.length, shape.output[0])
        for layer in (self.trend, self.rest):
            nn.init.constant_(layer.weight, 1 / shape.length)  # starts from the window's mean, as the paper's code does

    def forward(self, inputs: Tensor) -> Tensor:
        """From windows `(n, length, channels)` to forecasts `(n, horizon, channels)`."""
        channels = inputs.transpose(1, 2)
        trend = self.average(functional.pad(channels, (self.reach, self.reach), mode="replicate"))
        forecast: Tensor = self.trend(trend) + self.rest(channels - trend)
        return forecast.transpose(1, 2)
